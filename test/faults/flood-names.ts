/** The floods of flood-caller.ts. */
export const floodNames = [
  "fragments of one byte",
  "fragments of two bytes",
  "fragments of no byte",
  "fragments of 256 bytes",
  "fragments of 512 bytes",
  "messages of one byte",
  "pings",
  "frames that are filled slowly",
  "frames that come by the byte",
  "frames of enormous length",
  "large messages",
  "requests behind one another",
  "headers",
  "bodies in chunks of one byte",
  "chunks of one byte that stop",
  "bodies that never end",
  "bodies nobody asked for",
  "gzipped bodies",
  "large batches",
  "event streams opened and closed",
  "sockets opened and closed",
  "readers of a long archive that read nothing",
  "readers of a long history that read nothing",
] as const;

export type FloodName = (typeof floodNames)[number];
