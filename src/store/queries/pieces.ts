/**
 * What may be large is deleted in pieces, a statement each. On SQLite a statement keeps the thread, and
 * writes over what it deletes; and what is written faster than the checkpoints of the other thread follow,
 * the serving thread has to bring to the disk itself.
 */
import { setTimeout as delay } from "node:timers/promises";

/** How much is deleted in one statement. */
export const pieceSize = { rows: 50, maxBytes: 1024 * 1024 };
/** How much longer than a piece the rest after it is. */
const restFactor = 3;
const maxRestMs = 50;

/**
 * Others have the thread, and the checkpoints their time, after each piece.
 * @param deletePiece answers how much it has deleted: 0 ends it
 * @returns how much that was together
 */
export async function deleteInPieces(
  deletePiece: () => Promise<number>,
  signal?: AbortSignal,
): Promise<number> {
  for (let deleted = 0; ; ) {
    const beganAtMs = performance.now();
    const piece = await deletePiece();
    deleted += piece;
    if (piece === 0 || signal?.aborted) return deleted;
    const tookMs = performance.now() - beganAtMs;
    await delay(Math.min(restFactor * tookMs, maxRestMs));
  }
}
