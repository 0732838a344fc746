/** The way of a token as a profile shows it: which code belongs to which step. */

export const steps = [
  "the provider's socket: read, parsed, events cut",
  "events to chunks",
  "LangChain and OpenAI's package",
  "callback, span, answer",
  "entry of the log",
  "journal",
  "readers: cursor, frame",
  "the readers' sockets: ws, write",
  "the run itself: call, claim, end, log line",
  "garbage collection",
  "Node and V8",
] as const;

export type Step = (typeof steps)[number];

interface CallFrame {
  readonly functionName: string;
  readonly url: string;
}

/** The first that fits counts. Code that fits none belongs to whoever called it. */
export const places: readonly (readonly [RegExp, Step])[] = [
  [/node_modules\/undici\/|deps\/undici/, "the provider's socket: read, parsed, events cut"],
  [/src\/event-fetch\//, "the provider's socket: read, parsed, events cut"],
  [/src\/bots\/provider\//, "events to chunks"],
  [/node_modules\/(@langchain|langchain|openai|p-queue)\//, "LangChain and OpenAI's package"],
  [/src\/(bots\/run|protocol)\//, "callback, span, answer"],
  [/src\/runs\/lifecycle\/live-run\.ts/, "callback, span, answer"],
  [/src\/log\/journal/, "journal"],
  [/src\/log\//, "entry of the log"],
  [/src\/runs\/following\/(?!pacer)/, "readers: cursor, frame"],
  [
    /connections\/(socket-calls|frames\/(outgoing-frames|sending-turn|text-frame))\.ts/,
    "readers: cursor, frame",
  ],
  [/node_modules\/ws\//, "the readers' sockets: ws, write"],
  [/connections\/(socket-connection|frames\/frame-sender)\.ts/, "the readers' sockets: ws, write"],
  [/src\/(server\/pacing\/|runs\/following\/pacer)/, "the readers' sockets: ws, write"],
  [/src\/|node_modules\//, "the run itself: call, claim, end, log line"],
];

/** Neither a token's nor anybody's: nothing to do, and the profiler's own switch. */
export function countsForNothing({ functionName, url }: CallFrame): boolean {
  return functionName === "(idle)" || url === "node:inspector";
}

/** Undefined for Node's and V8's own, which works for its caller. */
export function stepOf({ functionName, url }: CallFrame): Step | undefined {
  if (functionName === "(garbage collector)") return "garbage collection";
  return places.find(([place]) => place.test(url))?.[1];
}
