/**
 * Which start of the machine this is. A commit of the journal does not wait for the disk, so whatever
 * was written before the machine went down may have lost its end; a process that dies loses nothing.
 */
import { readFileSync } from "node:fs";
import { uptime } from "node:os";
import type { DatabaseSync } from "node:sqlite";

const bootIdFile = "/proc/sys/kernel/random/boot_id";
/** Two looks at one start of the machine differ by a clock that was set; two starts, by more. */
const sameBootMs = 60_000;

/** An id, or where the system has none, the time at which it started, in ms. */
export function bootIdentity(): string {
  try {
    return readFileSync(bootIdFile, "utf8").trim();
  } catch {
    return String(Math.round(Date.now() - uptime() * 1000));
  }
}

function isSameBoot(one: string, other: string): boolean {
  if (one === other) return true;
  return /^\d+$/.test(one + other) && Math.abs(Number(one) - Number(other)) < sameBootMs;
}

/** In which start of the machine the journal was written. */
export class WrittenInBoot {
  readonly #database: DatabaseSync;
  readonly #now: string;
  /** Undefined: nobody has said so yet. */
  readonly sameBoot: boolean | undefined;

  constructor(database: DatabaseSync, now: string) {
    this.#database = database;
    this.#now = now;
    database.exec(
      "create table if not exists journal_boot (one integer primary key check (one = 1), boot_id text not null)",
    );
    const written = database.prepare("select boot_id from journal_boot").get()?.boot_id;
    this.sameBoot = written === undefined ? undefined : isSameBoot(String(written), now);
  }

  /** Only once every run that was cut is ended: until then, what is found may lack its end. */
  remember(): void {
    this.#database
      .prepare("insert or replace into journal_boot (one, boot_id) values (1, ?)")
      .run(this.#now);
  }
}
