/**
 * The writer of a run beside a Redis whose answers come when a schedule says so, fail before or after they
 * did something, and that may come back without what it had last: in the end Redis has each event, once,
 * in order, or somebody else has the run and nothing more is sent.
 */
import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { AppendCalls } from "../../src/log/redis/append-calls.ts";
import { keysOf } from "../../src/log/redis/run-scripts.ts";
import { RedisRunWriter } from "../../src/log/redis/run-writer.ts";
import { LangwireError } from "../../src/protocol/errors.ts";

// What is tried again is tried again at once.
vi.mock(import("node:timers/promises"), async (original) => ({
  ...(await original()),
  setTimeout: (() => new Promise((resolve) => setImmediate(resolve))) as never,
}));

const [runId, token, after] = ["run", "this process", 10];
const times = { retentionMs: 1_000, maxConversationBytes: 1e6, liveMs: 60_000, timeoutMs: 60_000 };
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

interface Question {
  /** What Redis does. */
  readonly work: () => unknown;
  readonly resolve: (reply: unknown) => void;
  readonly reject: (cause: Error) => void;
}

class OneRun {
  /** The marks of the events that Redis has. */
  stream: string[] = [];
  lease: { token: string; closed: boolean } | undefined;
  readonly questions: Question[] = [];
  /** How many events were ever stored at once. */
  mostStored = 0;
  ours = true;
  readonly written: number[] = [];
  done = 0;

  get last(): number {
    return after + this.stream.length;
  }

  readonly takesAnyKeys = true;

  isRefusal(_cause: unknown): _cause is Error {
    return false;
  }

  send<Reply>(_key: string, [, , keys, ...rest]: readonly string[]): Promise<Reply> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const args = rest.slice(Number(keys));
    this.questions.push({ work: () => this.#carryOut(args), resolve, reject });
    return promise as Promise<Reply>;
  }

  /** The three scripts, as run-scripts.ts has them, by what they are given. */
  #carryOut(args: readonly string[]): unknown {
    if (args.length === 5) {
      if (this.lease?.token === token) this.lease.closed = true;
      return 1;
    }
    if (args[3] === "0" || args[3] === "1") return this.#open(args);
    return this.#append(args);
  }

  #open([, by = "", , takeOver]: readonly string[]): [string, number] {
    if (this.lease?.closed === true) return ["closed", this.last];
    if (this.lease !== undefined && this.lease.token !== by && takeOver === "0") {
      return ["fenced", this.last];
    }
    this.lease = { token: by, closed: false };
    return ["opened", this.last];
  }

  #append([by, , , , before, , , ...events]: readonly string[]): [string, number] {
    const first = Number(before) + 1;
    if (this.lease === undefined) return ["lost", 0];
    if (this.lease.token !== by) return ["fenced", this.last];
    if (first + events.length - 1 <= this.last) return ["ok", this.last];
    if (this.lease.closed) return ["closed", this.last];
    if (first > this.last + 1) return ["gap", this.last];
    for (const json of events.slice(this.last + 1 - first)) {
      const { text, name } = JSON.parse(json);
      this.stream.push(text ?? name);
    }
    this.mostStored = Math.max(this.mostStored, this.last);
    return ["ok", this.last];
  }

  answer(how: "answered" | "refused" | "unheard"): void {
    const question = this.questions.shift();
    if (question === undefined) return;
    const reply = how === "refused" ? undefined : question.work();
    if (how === "answered") question.resolve(reply);
    else question.reject(new Error("the connection is gone"));
  }

  /** Another server takes over, without the last of what this one had. */
  failOver(lost: number): void {
    this.stream.splice(Math.max(0, this.stream.length - lost));
    if (this.stream.length === 0) this.lease = undefined;
  }

  async open(): Promise<RedisRunWriter> {
    const opening = RedisRunWriter.open({
      ...{
        link: this,
        calls: new AppendCalls(this, token),
        keys: keysOf("test", "c"),
        runId,
        after,
        times,
      },
      ...{ fencingToken: token, takeOver: false },
      isOurs: async () => this.ours,
      onWritten: (entries) => void this.written.push(...entries.map(({ seq }) => seq)),
      onDone: () => {
        this.done += 1;
      },
    });
    this.answer("answered");
    return opening;
  }

  /** Answers everything, and what is asked then. */
  async settle(): Promise<void> {
    for (let idle = 0; idle < 6; idle++) {
      await turn();
      if (this.questions.length > 0) idle = 0;
      while (this.questions.length > 0) this.answer("answered");
    }
  }
}

const happening = fc.oneof(
  { weight: 5, arbitrary: fc.record({ append: fc.constantFrom(1, 2, 5, 513) }) },
  { weight: 4, arbitrary: fc.constant("turn" as const) },
  { weight: 3, arbitrary: fc.constant("flush" as const) },
  { weight: 4, arbitrary: fc.constantFrom("answered", "refused", "unheard") },
  { weight: 1, arbitrary: fc.record({ lost: fc.constantFrom(1, 3, 10_000) }) },
  { weight: 1, arbitrary: fc.constant("check" as const) },
);
const endings = fc.constantFrom(
  ...["goes on", "closes", "is abandoned"],
  ...["is taken over while it writes", "is taken over in silence"],
);

test("each event once and in order, whatever Redis answers and forgets", async () => {
  const property = fc.asyncProperty(
    fc.array(happening, { maxLength: 25, size: "max" }),
    endings,
    async (happenings, ending) => {
      const redis = new OneRun();
      const writer = await redis.open();
      /** Each event has one of its own; those of neighbouring tokens may be together. */
      const marks: string[] = [];
      const append = (count: number): void => {
        for (let index = 0; index < count; index++) {
          const mark = `${marks.length},`;
          marks.push(mark);
          if (marks.length % 3 > 0)
            writer.append({ type: "token", runId, spanId: "s", text: mark });
          else writer.append({ type: "custom", runId, spanId: "s", name: mark });
        }
      };
      const flushes: Promise<boolean>[] = [];
      const flush = (): void => {
        const { lastSeq } = writer;
        const isStored = () => redis.mostStored >= lastSeq || lastSeq === after;
        flushes.push(writer.flushed().then(isStored));
      };
      const hasAll = (): void => {
        expect(redis.stream.join("")).toBe(marks.join(""));
        expect(redis.last).toBe(writer.lastSeq);
      };
      for (const it of happenings) {
        if (it === "turn") await turn();
        else if (it === "flush") flush();
        else if (it === "check") writer.check();
        else if (typeof it === "string") redis.answer(it as "answered");
        else if ("append" in it) append(it.append);
        else redis.failOver(it.lost);
      }
      await redis.settle();
      // What was lost since is noticed with the next event.
      append(3);
      flush();
      await redis.settle();
      hasAll();
      flush();
      expect(await Promise.all(flushes)).toEqual(flushes.map(() => true));
      expect([writer.healthy, writer.lost.aborted]).toEqual([true, false]);
      const seqs = writer.entries().map(({ seq }) => seq);
      expect(seqs).toEqual(Array.from({ length: redis.stream.length }, (_, at) => after + 1 + at));
      expect(new Set(redis.written)).toEqual(new Set(seqs));
      const stored = redis.stream.join("");
      if (ending === "closes") {
        append(1);
        writer.close();
        await redis.settle();
        hasAll();
        expect([redis.lease?.closed, redis.done]).toEqual([true, 1]);
      } else if (ending === "is abandoned") {
        append(1);
        const flushed = writer.flushed();
        writer.abandon();
        writer.abandon();
        await flushed;
        await redis.settle();
        expect([redis.stream.join(""), redis.done]).toEqual([stored, 1]);
        expect(writer.append({ type: "custom", runId, spanId: "s", name: "late" })).toBe(0);
      } else if (ending !== "goes on") {
        Object.assign(redis, { lease: { token: "another", closed: false }, ours: false });
        if (ending === "is taken over in silence") writer.check();
        else append(2);
        const flushed = writer.flushed();
        await redis.settle();
        await flushed;
        expect(redis.stream.join("")).toBe(stored);
        expect(writer.lost.reason).toBeInstanceOf(LangwireError);
        expect([writer.lost.reason.code, redis.done]).toEqual(["OWNER_LOST", 1]);
        append(1);
        writer.check();
        await redis.settle();
        expect(redis.questions).toEqual([]);
        expect(redis.stream.join("")).toBe(stored);
      }
    },
  );
  await fc.assert(property, { numRuns: 100 });
});
