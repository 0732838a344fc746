/**
 * A write-ahead log beside another database than its own: noticed whatever way the other came there, and
 * never seen where a process was killed. Copies are made by `cp`: closing a file in this process would end
 * its locks.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  isReplaced,
  markDatabase,
  noteOf,
  setAsideForeignWal,
  UnknownWal,
} from "../../src/store/sqlite/foreign-wal.ts";

let temporary = "";
beforeAll(() => {
  temporary = mkdtempSync(join(tmpdir(), "foreign-wal-"));
});
afterAll(() => rmSync(temporary, { recursive: true }));

const newFolder = () => mkdtempSync(join(temporary, "f-"));
const fileIn = (folder: string) => join(folder, "langwire.sqlite");
const copy = (from: string, to: string) => execFileSync("cp", ["-a", from, to]);
const kilobyte = "x".repeat(1_000);

function connect(folder: string): DatabaseSync {
  const database = new DatabaseSync(fileIn(folder));
  database.exec("pragma journal_mode = wal; pragma synchronous = normal");
  database.exec("create table if not exists texts (text text)");
  return database;
}

/** As a server's start. */
function start(folder: string) {
  const setAside = setAsideForeignWal(fileIn(folder));
  const database = connect(folder);
  database.exec("pragma wal_checkpoint(truncate)");
  markDatabase(database, fileIn(folder));
  return { database, setAside };
}

function say(database: DatabaseSync, text: string): void {
  database.prepare("insert into texts values (?)").run(text);
}

const textsIn = (database: DatabaseSync) =>
  database.prepare("select text from texts order by rowid").all().flatMap(Object.values);

/** Of a folder as a killed process left it, what the next start finds. */
function foundAfterKill(folder: string): { texts: unknown[]; setAside: string | undefined } {
  const left = newFolder();
  copy(`${folder}/.`, left);
  expect(isReplaced(fileIn(left))).toBe(false);
  const { database, setAside } = start(left);
  using _closed = { [Symbol.dispose]: () => database.close() };
  return { texts: textsIn(database), setAside };
}

type Step = "say" | "grow" | "checkpoint" | "truncate" | "index" | "vacuum" | "stop" | "kill";
const steps = fc.array(
  fc.constantFrom<Step>("say", "grow", "checkpoint", "truncate", "index", "vacuum", "stop", "kill"),
  { minLength: 4, maxLength: 12 },
);

test("what a killed process left is its own, at every moment", () => {
  fc.assert(
    fc.property(steps, (sequence) => {
      let folder = newFolder();
      let { database, setAside } = start(folder);
      const said: string[] = [];
      for (const [index, step] of sequence.entries()) {
        switch (step) {
          case "say":
            said.push(`text ${index}`);
            say(database, `text ${index}`);
            break;
          case "grow":
            said.push(kilobyte.repeat(20));
            say(database, kilobyte.repeat(20));
            break;
          case "checkpoint":
            database.exec("pragma wal_checkpoint(passive)");
            break;
          case "truncate":
            database.exec("pragma wal_checkpoint(truncate)");
            break;
          case "index":
            database.exec(`create index texts_${index} on texts (text)`);
            break;
          case "vacuum":
            database.exec("vacuum");
            break;
          case "stop":
            database.close();
            ({ database, setAside } = start(folder));
            break;
          case "kill": {
            const left = newFolder();
            copy(`${folder}/.`, left);
            database.close();
            folder = left;
            ({ database, setAside } = start(folder));
          }
        }
        expect(setAside).toBeUndefined();
        expect(foundAfterKill(folder)).toEqual({ texts: said, setAside: undefined });
      }
      database.close();
    }),
    { numRuns: 12 },
  );
});

test.each([false, true])(
  "a start that is cut anywhere leaves its own (log left: %s)",
  (isLogLeft) => {
    const folder = newFolder();
    const first = start(folder).database;
    say(first, "kept");
    const left = newFolder();
    copy(`${folder}/.`, left);
    first.close();
    const at = isLogLeft ? left : folder;
    expect(setAsideForeignWal(fileIn(at))).toBeUndefined();
    const database = connect(at);
    const tried: string[] = [];
    const watched = new Proxy(database, {
      get(target, name) {
        const member = Reflect.get(target, name, target);
        if (typeof member !== "function") return member;
        return (...args: unknown[]) => {
          expect(foundAfterKill(at)).toEqual({ texts: ["kept"], setAside: undefined });
          const result = Reflect.apply(member, target, args);
          tried.push(String(name));
          expect(foundAfterKill(at)).toEqual({ texts: ["kept"], setAside: undefined });
          return result;
        };
      },
    });
    markDatabase(watched, fileIn(at));
    expect(tried).toContain("exec");
    // The last note may have been lost with the power, and all that came later not.
    const noted = readFileSync(noteOf(fileIn(at)), "utf8");
    expect(JSON.parse(noted).marks).toHaveLength(1);
    expect(foundAfterKill(at)).toEqual({ texts: ["kept"], setAside: undefined });
    database.close();
  },
);

test("somebody reads while the mark is given", () => {
  const folder = newFolder();
  start(folder).database.close();
  const database = connect(folder);
  say(database, "kept");
  using reader = new DatabaseSync(fileIn(folder));
  reader.exec("begin");
  expect(textsIn(reader)).toEqual(["kept"]);
  markDatabase(database, fileIn(folder));
  expect(foundAfterKill(folder)).toEqual({ texts: ["kept"], setAside: undefined });
  reader.exec("commit");
  // The file has only now the new mark, and a log without its first page.
  database.exec("pragma wal_checkpoint(truncate)");
  say(database, "too");
  expect(foundAfterKill(folder)).toEqual({ texts: ["kept", "too"], setAside: undefined });
  database.close();
});

const backups: Record<string, (folder: string, to: string) => Promise<void> | void> = {
  "SQLite's backup": async (folder, to) => {
    using database = new DatabaseSync(fileIn(folder));
    await backup(database, to);
  },
  "SQLite's backup over an earlier one": async (folder, to) => {
    using database = new DatabaseSync(fileIn(folder));
    for (let times = 0; times < 3; times++) await backup(database, to);
  },
  "vacuum into": (folder, to) => {
    using database = new DatabaseSync(fileIn(folder));
    database.prepare("vacuum into ?").run(to);
  },
};

/** How the log looks at the kill: with the first page in it, and without. */
const logs: Record<string, (database: DatabaseSync) => void> = {
  "a log that made the file longer": (database) => {
    for (let index = 0; index < 5; index++) say(database, kilobyte.repeat(10));
  },
  "a log of one page": (database) => {
    for (let index = 0; index < 3; index++) {
      database.exec("pragma wal_checkpoint(passive)");
      say(database, "after");
    }
  },
};

for (const [way, make] of Object.entries(backups)) {
  test.each(Object.keys(logs))(
    `${way}, put over what a kill left with %s, is the backup`,
    async (log) => {
      const [folder, killed] = [newFolder(), newFolder()];
      const copied = join(newFolder(), "backup.sqlite");
      const { database } = start(folder);
      for (let index = 0; index < 20; index++) say(database, kilobyte);
      await make(folder, copied);
      logs[log]?.(database);
      copy(`${folder}/.`, killed);
      database.close();
      await expectBackup(killed, copied, 20);
    },
  );
}

test("a copy made between two starts is the backup", async () => {
  const [folder, killed] = [newFolder(), newFolder()];
  const copied = join(newFolder(), "backup.sqlite");
  const first = start(folder).database;
  say(first, "kept");
  first.close();
  copy(fileIn(folder), copied);
  const second = start(folder).database;
  logs["a log of one page"]?.(second);
  copy(`${folder}/.`, killed);
  second.close();
  await expectBackup(killed, copied, 1);
});

test("another program began the log anew, which says by its first page whose it is", async () => {
  const [folder, killed] = [newFolder(), newFolder()];
  const copied = join(newFolder(), "backup.sqlite");
  const { database } = start(folder);
  say(database, "kept");
  await backup(database, copied);
  database.exec("pragma wal_checkpoint(truncate)");
  using other = new DatabaseSync(fileIn(folder));
  logs["a log that made the file longer"]?.(other);
  copy(`${folder}/.`, killed);
  database.close();
  await expectBackup(killed, copied, 1);
});

async function expectBackup(killed: string, copied: string, texts: number): Promise<void> {
  const wal = readFileSync(`${fileIn(killed)}-wal`);
  expect(wal.length).toBeGreaterThan(0);
  execFileSync("cp", [copied, fileIn(killed)]);
  expect(isReplaced(fileIn(killed))).toBe(true);
  const { database, setAside = "" } = start(killed);
  expect(textsIn(database)).toHaveLength(texts);
  expect(database.prepare("pragma integrity_check").get()).toEqual({ integrity_check: "ok" });
  // Moved, not deleted; and once.
  expect(readFileSync(setAside).equals(wal)).toBe(true);
  say(database, "and on");
  expect(foundAfterKill(killed)).toMatchObject({ setAside: undefined });
  database.close();
  expect(readdirSync(killed).filter((name) => name.includes("of-another"))).toHaveLength(1);
}

test("a database that came with its log is taken with it, or its log is asked about", () => {
  for (const [log, write] of Object.entries(logs)) {
    const [other, here] = [newFolder(), newFolder()];
    start(here).database.close();
    const { database } = start(other);
    write(database);
    const said = textsIn(database);
    for (const end of ["", "-wal"]) copy(`${fileIn(other)}${end}`, `${fileIn(here)}${end}`);
    database.close();
    if (log === "a log of one page") {
      expect(() => setAsideForeignWal(fileIn(here))).toThrow(UnknownWal);
      expect(existsSync(`${fileIn(here)}-wal`)).toBe(true);
      renameSync(noteOf(fileIn(here)), join(here, "away"));
    }
    const opened = start(here);
    expect(opened.setAside).toBeUndefined();
    expect(textsIn(opened.database)).toEqual(said);
    opened.database.close();
  }
});

test("a folder of before marks were given is as it was, and what is no log is SQLite's to judge", () => {
  const folder = newFolder();
  const database = connect(folder);
  say(database, "kept");
  expect(foundAfterKill(folder)).toEqual({ texts: ["kept"], setAside: undefined });
  database.close();
  for (const text of ["", "no log", "no log at all ".repeat(100)]) {
    execFileSync("sh", ["-c", `printf %s "$1" > "$2"`, "sh", text, `${fileIn(folder)}-wal`]);
    expect(setAsideForeignWal(fileIn(folder))).toBeUndefined();
  }
  rmSync(fileIn(folder));
  expect(setAsideForeignWal(fileIn(folder))).toBeUndefined();
});
