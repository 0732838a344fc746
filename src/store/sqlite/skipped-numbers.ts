/**
 * The numbers of events after a backup was put back. Between the backup and its return numbers were given
 * out that the backup does not know of, and readers hold them as their positions: who holds a number that
 * is given out again takes the event for one that they had. So each conversation goes on far ahead, those
 * too that the backup does not have. The table is there only where a backup was put back: versions before
 * it pass over it.
 */
import type { DatabaseSync } from "node:sqlite";

/** More than any conversation is given within the time between two backups. */
const aheadBy = 1_000_000_000;
/** More than any conversation is given in a millisecond: what a later return goes on at is higher. */
const perMs = 100;

/** The number that no event has any more, nor any lower one; 0 where no backup was put back. */
export function skippedNumbers(database: DatabaseSync): number {
  const table = database
    .prepare(
      "select 1 from sqlite_master where type = 'table' and name = 'langwire_skipped_numbers'",
    )
    .get();
  if (table === undefined) return 0;
  return Number(
    database.prepare("select max(up_to) as seq from langwire_skipped_numbers").get()?.seq ?? 0,
  );
}

/** The highest number in the database. */
export function highestNumber(database: DatabaseSync): number {
  const row = database.prepare("select max(max(first_seq), max(end_seq)) as seq from runs").get();
  return Math.max(Number(row?.seq ?? 0), skippedNumbers(database));
}

/**
 * Has each run that begins from now on go on behind all numbers that there were.
 * @param highest as below
 * @returns the last number that is skipped
 */
export function goOnFarAhead(database: DatabaseSync, highest: number): number {
  const upTo = Math.max(highest + aheadBy, Date.now() * perMs);
  database.exec("create table if not exists langwire_skipped_numbers (up_to bigint not null)");
  database.exec("delete from langwire_skipped_numbers");
  database.prepare("insert into langwire_skipped_numbers (up_to) values (?)").run(upTo);
  return upTo;
}

/**
 * Has each conversation go on behind all numbers that there were, those too whose last run has ended.
 * @param highest of any database that may have given out numbers
 */
export function skipNumbers(database: DatabaseSync, highest: number): void {
  const upTo = goOnFarAhead(database, highest);
  // Whoever was told of another end of its last run is told this one.
  database
    .prepare(
      `update runs set end_seq = ? where end_seq = (
         select max(last.end_seq) from runs as last where last.conversation_id = runs.conversation_id
       )`,
    )
    .run(upTo);
}
