/**
 * The numbers of events after a backup was put back. Between the backup and its return numbers were given
 * out that the backup does not know of, and readers hold them as their positions: who holds a number that
 * is given out again takes the event for one that they had. So each conversation goes on far ahead.
 */
import type { DatabaseSync } from "node:sqlite";

/** More than any conversation is given within the time between two backups. */
const aheadBy = 1_000_000_000;
/** More than any conversation is given in a millisecond: what a later return goes on at is higher. */
const perMs = 100;

/** The highest number in the database. */
export function highestNumber(database: DatabaseSync): number {
  const row = database.prepare("select max(max(first_seq), max(end_seq)) as seq from runs").get();
  return Number(row?.seq ?? 0);
}

/**
 * Has each conversation go on behind all numbers that there were.
 * @param highest of any database that may have given out numbers
 */
export function skipNumbers(database: DatabaseSync, highest: number): void {
  const end = Math.max(highest + aheadBy, Date.now() * perMs);
  database
    .prepare(
      `update runs set end_seq = ? where end_seq = (
         select max(last.end_seq) from runs as last where last.conversation_id = runs.conversation_id
       )`,
    )
    .run(end);
}
