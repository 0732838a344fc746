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

/**
 * @param parts each asked for as the last piece of the one before leaves
 * @returns settles when all was written and the outlet is ready for more, or is closed
 */
export async function writeInPieces(parts: Iterable<Buffer>, outlet: Outlet): Promise<void> {
  const pieces = piecesOf(parts);
  for (let next = pieces.next(); next.done !== true; ) {
    if (outlet.gone) return;
    const piece = next.value;
    next = pieces.next();
    outlet.write(piece, next.done === true);
    await outlet.ready();
  }
}

function* piecesOf(parts: Iterable<Buffer>): Generator<Buffer, undefined> {
  for (const part of parts) {
    for (let start = 0; start < part.length; start += pieceBytes) {
      yield part.subarray(start, start + pieceBytes);
    }
  }
}

export function* between(
  before: string,
  pieces: Iterable<Buffer>,
  after: string,
): Generator<Buffer> {
  yield Buffer.from(before);
  yield* pieces;
  yield Buffer.from(after);
}
