/**
 * A long text leaves in pieces, each once those before it were taken: what waits in the process for
 * one socket is a piece, however long the text.
 */
import type { Pacer } from "../../runs/following/pacer.ts";

/** Characters, or bytes, from which a text is long. */
export const longTextLength = 64 * 1024;
const pieceBytes = 32 * 1024;

/** Where pieces go. */
export interface Outlet extends Pacer {
  /** Nobody takes anything there any more. */
  readonly gone: boolean;
  write(piece: Buffer, last: boolean): void;
}

/** Settles when all of it was written and there is room for more, or the outlet is gone. */
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
