/**
 * The lock of a database, beside a Postgres whose sessions end, that goes away, says nothing, or gives the lock to
 * another: who says that it has the lock has it, and has it again as soon as it may.
 */
import type { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import fc from "fast-check";
import { beforeEach, expect, test, vi } from "vitest";
import { DatabaseLock } from "../../src/store/postgres/database-lock.ts";
import { pass, withOwnClock } from "../support/own-clock.ts";

const unavailable = { code: "STORE_UNAVAILABLE" };

interface Session extends EventEmitter {
  readonly pid: number;
}

class Postgres {
  isUp = true;
  says: "answers" | "nothing" = "answers";
  holder: Session | "another" | undefined;
  readonly sessions = new Set<Session>();
  pings = 0;
  /** Of a pooler by transactions: which session serves the next statement. */
  pooled: number[] | undefined;
  pids = 0;

  async answer(session: Session, sql: string) {
    if (!this.sessions.has(session)) throw new Error("Client was closed");
    if (sql === "select 1") this.pings += 1;
    if (this.says === "nothing") return await new Promise<never>(() => {});
    if (sql.includes("pg_backend_pid")) {
      return { rows: [{ pid: this.pooled?.shift() ?? session.pid }] };
    }
    if (!sql.includes("pg_try_advisory_lock")) return { rows: [] };
    this.holder ??= session;
    return { rows: [{ taken: this.holder === session }] };
  }

  end(session: Session): void {
    if (!this.sessions.delete(session)) return;
    if (this.holder === session) this.holder = undefined;
    session.emit("end");
  }

  endAll(): void {
    for (const session of [...this.sessions]) this.end(session);
  }
}

const world = vi.hoisted(() => ({ postgres: undefined as unknown as Postgres }));

vi.mock("pg", async () => {
  const { EventEmitter } = await import("node:events");
  return {
    Client: class extends EventEmitter {
      readonly pid = ++world.postgres.pids;

      constructor(config: { stream: () => Socket }) {
        super();
        config.stream().destroy();
      }
      async connect() {
        if (!world.postgres.isUp) throw new Error("connect ECONNREFUSED");
        world.postgres.sessions.add(this);
      }
      query(sql: string) {
        return world.postgres.answer(this, sql);
      }
      async end() {
        if (world.postgres.says === "nothing") await new Promise<never>(() => {});
        world.postgres.end(this);
      }
    },
  };
});

withOwnClock();
beforeEach(() => {
  world.postgres = new Postgres();
});

const says = (lock: DatabaseLock): "held" | "lost" => {
  try {
    lock.check();
    return "held";
  } catch (cause) {
    expect(cause).toMatchObject(unavailable);
    return "lost";
  }
};

const happening = fc.constantFrom(
  ...(["sessions end", "goes away", "comes back", "another takes it", "another leaves"] as const),
  ...([0, 200, 2_000] as const),
);

/** Of any length up to that: without a size, of ten at most. */
const schedule = fc.array(happening, { maxLength: 20, size: "max" });

test("who says that it has it has it, and has it again when it may", async () => {
  const property = fc.asyncProperty(schedule, async (happenings) => {
    vi.clearAllTimers();
    const postgres = new Postgres();
    world.postgres = postgres;
    const lock = await DatabaseLock.take({}, { use: "alone" });
    for (const it of happenings) {
      if (typeof it === "number") await pass(it);
      else if (it === "sessions end") postgres.endAll();
      else if (it === "goes away") {
        postgres.isUp = false;
        postgres.endAll();
      } else if (it === "comes back") postgres.isUp = true;
      else if (it === "another takes it") postgres.holder ??= "another";
      else if (postgres.holder === "another") postgres.holder = undefined;
      if (says(lock) === "held") expect(postgres.sessions).toContain(postgres.holder);
    }
    await pass(1_000);
    const mayHave = postgres.isUp && postgres.holder !== "another";
    expect(says(lock)).toBe(mayHave ? "held" : "lost");
    const closing = lock[Symbol.asyncDispose]();
    await pass(0);
    await closing;
    expect(postgres.sessions.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });
  await fc.assert(property, { numRuns: 100 });
});

test("one that another keeps is waited for as long as it may take", async () => {
  const { postgres } = world;
  for (const leavesAfterMs of [0, 5_000, 9_000, 11_000, Number.POSITIVE_INFINITY]) {
    postgres.holder = "another";
    const taking = DatabaseLock.take({}, { use: "alone", takeTimeoutMs: 10_000 });
    const outcome = taking.then(
      (lock) => lock,
      (cause: unknown) => cause,
    );
    for (let ms = 0; ms <= 12_000; ms += 500) {
      if (ms >= leavesAfterMs && postgres.holder === "another") postgres.holder = undefined;
      await pass(500);
    }
    const taken = await outcome;
    expect([leavesAfterMs, taken instanceof DatabaseLock]).toEqual([
      leavesAfterMs,
      leavesAfterMs < 10_000,
    ]);
    if (taken instanceof DatabaseLock) await taken[Symbol.asyncDispose]();
    else expect(taken).toMatchObject(unavailable);
    expect([postgres.sessions.size, vi.getTimerCount()]).toEqual([0, 0]);
  }
});

test("a server is asked whether it is there, once until it answers", async () => {
  const { postgres } = world;
  const lock = await DatabaseLock.take({}, { use: "alone" });
  await pass(10_000);
  expect(postgres.pings).toBe(5);
  postgres.says = "nothing";
  await pass(10_000);
  expect(postgres.pings).toBe(6);
  // Nor is it waited for at the end.
  const closing = lock[Symbol.asyncDispose]();
  await pass(1_000);
  await closing;
});

test.each([
  ["sessions of their own", undefined, true],
  ["one session for both", [1, 1, 1, 1, 1, 1], false],
  ["a session for each statement", [1, 2, 2, 1, 1, 2], false],
  ["others' statements in between", [1, 2, 1, 2, 3, 2], false],
  ["others' statements in between, for the second", [1, 2, 1, 2, 1, 3], false],
])("with %s", async (_what, pooled, isTaken) => {
  world.postgres.pooled = pooled;
  const taking = DatabaseLock.take({}, { use: "alone" });
  if (isTaken) await (await taking)[Symbol.asyncDispose]();
  else await expect(taking).rejects.toMatchObject(unavailable);
});
