/** Transactions of one turn of the event loop, committed together: what each is promised holds all the same. */
import { AsyncLocalStorage } from "node:async_hooks";
import { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import { Kysely, sql } from "kysely";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
import type { Work } from "../../src/store/engine.ts";
import type { Schema } from "../../src/store/schema.ts";
import { GroupCommit } from "../../src/store/sqlite/group-commit.ts";
import { NodeSqliteDialect } from "../../src/store/sqlite/sqlite-dialect.ts";

let database: DatabaseSync;
let group: GroupCommit;
let statements: string[];

beforeEach(() => {
  database = new DatabaseSync(":memory:");
  database.exec("create table words (word text primary key)");
  statements = [];
  const kysely = new Kysely<Schema>({
    dialect: new NodeSqliteDialect(database),
    log: ({ query }) => void statements.push(query.sql),
  });
  group = new GroupCommit(kysely);
  return () => database.close();
});

const write =
  (word: string, then: () => string | undefined = () => word): Work<string> =>
  async (db) => {
    await sql`insert into words values (${word})`.execute(db);
    return then();
  };
const written = () =>
  database
    .prepare("select word from words order by rowid")
    .all()
    .map(({ word }) => word);
const count = (statement: string) => statements.filter((text) => text === statement).length;

/** A group has no time limit: a busy machine would split it. */
function stopClock(): void {
  const clock = vi.spyOn(performance, "now").mockReturnValue(0);
  onTestFinished(() => clock.mockRestore());
}

test("those of one turn are one commit, those of the next another", async () => {
  stopClock();
  const words = ["one", "two", "three"];
  expect(await Promise.all(words.map((word) => group.transact(write(word))))).toEqual(words);
  expect([count("begin immediate"), count("commit")]).toEqual([1, 1]);
  expect(await group.transact(write("four"))).toBe("four");
  expect([count("begin immediate"), count("commit")]).toEqual([2, 2]);
  expect(count("savepoint member"), "one alone needs none").toBe(words.length);
  expect(written()).toEqual([...words, "four"]);
});

test("a group is in the context of none who asked for it, and each goes on in their own", async () => {
  const caller = new AsyncLocalStorage<string>();
  const seen: (string | undefined)[] = [];
  const ask = (name: string, count: number) =>
    caller.run(name, async () => {
      const works = Array.from(
        { length: count },
        (_, index): Work<string> =>
          (db) => {
            seen.push(caller.getStore());
            return write(`${name} ${index}`)(db);
          },
      );
      await Promise.all(works.map((work) => group.transact(work)));
      return caller.getStore();
    });
  // One alone, and several.
  expect(await ask("ann", 1)).toBe("ann");
  expect(await Promise.all([ask("bob", 2), ask("cem", 1)])).toEqual(["bob", "cem"]);
  expect(seen).toEqual(Array(4).fill(undefined));
});

test("none settles before the commit", async () => {
  const seen: boolean[] = [];
  const all = ["one", "two"].map(async (word) => {
    await group.transact(write(word));
    seen.push(database.isTransaction);
  });
  await Promise.all(all);
  expect(seen).toEqual([false, false]);
});

test("what is asked for after a transaction finds what it wrote, and is not held up otherwise", async () => {
  stopClock();
  const read = () =>
    group.run((db) => sql<{ n: number }>`select count(*) as n from words`.execute(db));
  const asked = [
    group.transact(write("one")),
    read(),
    group.transact(write("two")),
    read(),
  ] as const;
  const [, first, , second] = await Promise.all(asked);
  expect([first.rows, second.rows]).toEqual([[{ n: 1 }], [{ n: 2 }]]);
  expect(count("commit")).toBe(1);
  const reading = read();
  let turns = 0;
  const turn = setImmediate().then(() => turns++);
  expect((await reading).rows).toEqual([{ n: 2 }]);
  expect(turns).toBe(0);
  await turn;
});

test("a database that takes nothing is still read", async () => {
  database.exec("pragma query_only = on");
  const outcomes = await Promise.allSettled([
    group.transact(write("one")),
    group.run((db) => sql<{ n: number }>`select count(*) as n from words`.execute(db)),
  ]);
  expect(outcomes).toMatchObject([{ status: "rejected" }, { value: { rows: [{ n: 0 }] } }]);
});

test("one that throws, or answers nothing, undoes what it wrote and nothing of another's", async () => {
  stopClock();
  const fail = () => {
    throw new Error("it will not");
  };
  const outcomes = await Promise.allSettled([
    group.transact(write("before")),
    group.transact(write("throws", fail)),
    group.transact(write("nothing", () => undefined)),
    group.transact(write("before")),
    group.transact(write("after")),
  ]);
  expect(outcomes).toMatchObject([
    { value: "before" },
    { reason: { message: "it will not" } },
    { status: "fulfilled", value: undefined },
    { reason: { message: expect.stringContaining("UNIQUE") } },
    { value: "after" },
  ]);
  expect(written()).toEqual(["before", "after"]);
  expect(count("commit")).toBe(1);
});

test("one that the disk has no room for fails alone, though SQLite rolls all back for it", async () => {
  const room = Number(database.prepare("pragma page_count").get()?.page_count) + 8;
  database.exec(`pragma max_page_count = ${room}`);
  const outcomes = await Promise.allSettled([
    group.transact(write("before")),
    group.transact(write("long".repeat(100_000))),
    group.transact(write("after")),
  ]);
  expect(outcomes).toMatchObject([
    { value: "before" },
    { reason: { message: expect.stringContaining("full") } },
    { value: "after" },
  ]);
  expect(written()).toEqual(["before", "after"]);
});

test("one for which the commit is refused fails alone", async () => {
  database.exec(`pragma foreign_keys = on;
    create table notes (word text references words (word) deferrable initially deferred)`);
  const astray: Work<string> = async (db) => {
    await sql`insert into notes values ('nobody''s')`.execute(db);
    return "astray";
  };
  const outcomes = await Promise.allSettled([
    group.transact(write("before")),
    group.transact(astray),
    group.transact(write("after")),
  ]);
  expect(outcomes).toMatchObject([
    { value: "before" },
    { reason: { message: expect.stringContaining("FOREIGN KEY") } },
    { value: "after" },
  ]);
  expect(database.isTransaction).toBe(false);
});

const busy = (word: string) =>
  write(word, () => {
    const untilMs = performance.now() + 3;
    while (performance.now() < untilMs);
    return word;
  });

test("many give the turn back in between, and keep their order", async () => {
  const words = Array.from({ length: 6 }, (_, index) => `word ${index}`);
  let late: Promise<unknown> | undefined;
  const first: Work<string> = (db) => {
    late = group.transact(write("late"));
    return busy("first")(db);
  };
  let turns = 0;
  let done = false;
  const works = [first, ...words.map(busy)];
  const all = Promise.all(works.map((work) => group.transact(work))).finally(() => {
    done = true;
  });
  while (!done) {
    await setImmediate();
    expect(database.isTransaction).toBe(false);
    turns += 1;
  }
  expect(await all).toEqual(["first", ...words]);
  expect(turns).toBeGreaterThan(2);
  await late;
  expect(written()).toEqual(["first", ...words, "late"]);
});

test("so do those of a group that failed, which are done one by one", async () => {
  const room = Number(database.prepare("pragma page_count").get()?.page_count) + 8;
  database.exec(`pragma max_page_count = ${room}`);
  const tooLong = group.transact(write("long".repeat(100_000)));
  const words = Array.from({ length: 6 }, (_, index) => `word ${index}`);
  let done = false;
  const all = Promise.allSettled([tooLong, ...words.map((word) => group.transact(busy(word)))]);
  const finished = all.finally(() => {
    done = true;
  });
  let turns = 0;
  let late: Promise<unknown> | undefined;
  let read: Promise<{ rows: unknown[] }> | undefined;
  while (!done) {
    await setImmediate();
    expect(database.isTransaction).toBe(false);
    turns += 1;
    if (written().length === 0 || late !== undefined) continue;
    late = group.transact(write("late"));
    read = group.run((db) => sql`select word from words where word = 'late'`.execute(db));
  }
  expect((await finished).map(({ status }) => status)).toEqual([
    "rejected",
    ...words.map(() => "fulfilled"),
  ]);
  expect(turns).toBeGreaterThan(2);
  await late;
  expect((await read)?.rows).toEqual([{ word: "late" }]);
  expect(written()).toEqual([...words, "late"]);
});
