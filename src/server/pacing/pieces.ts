/**
 * Writes a long text in pieces, each when the socket has taken the one before: its backlog is one piece,
 * however long the text.
 */
import type { Pacer } from "../../runs/following/pacer.ts";

/** Characters or bytes from which a text counts as long. */
export const longTextLength = 64 * 1024;
const pieceBytes = 32 * 1024;

/** What the pieces are written to. */
export interface Outlet extends Pacer {
  /** Whether it is closed. */
  readonly gone: boolean;
  write(piece: Buffer, last: boolean): void;
}

/** @returns settles when all was written and the outlet is ready for more, or is closed */
export async function writeInPieces(parts: readonly Buffer[], outlet: Outlet): Promise<void> {
  const last = parts.length - 1;
  for (const [index, part] of parts.entries()) {
    for (let start = 0; start < part.length; start += pieceBytes) {
      if (outlet.gone) return;
      const end = start + pieceBytes;
      outlet.write(part.subarray(start, end), index === last && end >= part.length);
      await outlet.ready();
    }
  }
}
