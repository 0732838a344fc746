/** What a run and a watch hand on of what comes, and how each ends: without a socket. */
import { describe, expect, test } from "vitest";
import { LangwireClientError } from "../../client/src/errors.ts";
import { FollowedRun, Run } from "../../client/src/run.ts";
import type { ChatEvent, RunStatus, SendInput } from "../../client/src/types.ts";
import { collect } from "./collect.ts";
import { now, parts, scriptedLink, wait } from "./scripted-link.ts";

const runId = "5f942222-bc48-4f44-9804-7017f73f66ae";
const uuid = /^[\da-f-]{36}$/;
const start = { type: "runStart", runId, message: "hi" } as ChatEvent;
const says = (text: string, spanId = "s"): ChatEvent => ({ type: "token", runId, spanId, text });
const ends = (end: object): ChatEvent =>
  ({ type: "runEnd", runId, status: "completed", text: "", ...end }) as ChatEvent;
const gone = { code: "NOT_FOUND", retryable: false } as const;

function sent(
  input: Partial<SendInput> = {},
  cancel = async (): Promise<RunStatus> => "cancelled",
) {
  const link = scriptedLink();
  const all = { botId: "bot", message: "hi", ...input } as SendInput;
  const run = new Run({ ...parts(link), input: all, cancel });
  return { link, run };
}

describe("a run", () => {
  test("asks by all that it was given, and by ids of its own where it was given none", () => {
    const own = sent({ ifBusy: "interrupt" }).run;
    expect(own.id).toMatch(uuid);
    expect(own.conversationId).toMatch(uuid);
    const { link, run } = sent({ runId, conversationId: "c", lastEventId: "4", input: [1] });
    expect(link.server.input).toEqual({
      ...{ runId, conversationId: "c", lastEventId: "4" },
      ...{ botId: "bot", message: "hi", input: [1] },
    });
    const again = { runId, conversationId: "c", botId: "bot", message: "hi", input: [1] };
    expect(run.toJSON()).toEqual(again);
    expect(run).toMatchObject({ id: runId, conversationId: "c", botId: "bot", message: "hi" });
  });

  test("goes on behind what came", async () => {
    const { link, run } = sent({ runId });
    // What went before a start that it did not ask for.
    link.server.event(2, says("a"));
    expect(run).toMatchObject({ lastEventId: "2", startEventId: undefined });
    link.server.event(3, start);
    expect(run).toMatchObject({ lastEventId: "3", startEventId: "3" });
    link.server.fails(new Error("lost"));
    await wait(50);
    expect(link.server.input).toMatchObject({ runId, lastEventId: "3" });
    link.server.event(4, says("a"));
    link.server.event(2, start);
    expect(run).toMatchObject({ lastEventId: "2", startEventId: "3" });
  });

  test("shows its answer so far, and leaves at its end", async () => {
    const { link, run } = sent();
    link.server.event(1, start);
    link.server.event(2, says("so far"));
    expect(run.answer).toBe("so far");
    link.server.event(3, ends({ text: "so far" }));
    expect(link.transcript.at(-1)).toBe("0 leaves");
    expect((await collect(run)).map(({ type }) => type)).toEqual(["runStart", "token", "runEnd"]);
  });

  test("that is given no promise to keep waits", async () => {
    const { link, run } = sent();
    link.server.event(1, says("a"));
    for (const promise of [run.text, run.output, run.ended])
      expect(await now(promise)).toBe("waits");
  });

  const error = { code: "PROVIDER_ERROR", message: "No.", retryable: true } as const;
  const unknown = { code: "INTERNAL", message: "The run failed.", retryable: false } as const;
  test.each([
    ["completed", {}, {}],
    ["cancelled", {}, {}],
    ["failed", { error }, { ...error, partialText: "x", cause: undefined }],
    ["failed", {}, { ...unknown, partialText: "x" }],
  ] as const)("that has %s tells how, each way", async (status, more, failure) => {
    const { link, run } = sent();
    const end = ends({ status, text: "x", output: { y: 1 }, ...more });
    link.server.event(1, end);
    expect(await run.ended).toEqual(end);
    const told = await Promise.all([now(run.text), now(run.output)]);
    if (status !== "failed") expect(told).toEqual(["x", { y: 1 }]);
    else {
      for (const one of told) {
        expect(one).toBeInstanceOf(LangwireClientError);
        expect(one).toMatchObject(failure);
      }
    }
  });

  test("that failed in a test's own process has what was thrown as its cause", async () => {
    const registry = Symbol.for("langwire.testing.thrown");
    const thrown = new Error("of the bot");
    const before: unknown = Reflect.get(globalThis, registry);
    Reflect.set(globalThis, registry, new Map([[runId, thrown]]));
    try {
      const { link, run } = sent();
      link.server.event(1, ends({ status: "failed", error }));
      expect(await now(run.text)).toMatchObject({ cause: thrown });
      const other = sent();
      other.link.server.event(1, { ...ends({ status: "failed", error }), runId: "other" });
      expect(await now(other.run.text)).toMatchObject({ cause: undefined });
    } finally {
      Reflect.set(globalThis, registry, before);
    }
  });

  test("that is refused rejects everything that was promised, with what it had said", async () => {
    const { link, run } = sent();
    const reading = collect(run);
    link.server.event(1, says("half"));
    link.server.refuses({ ...gone, message: "Gone.", retryAfterMs: 5 });
    const promised = [run.text, run.output, run.ended, reading, collect(run)];
    const refused = { ...gone, message: "Gone.", retryAfterMs: 5, partialText: "half" };
    for (const became of await Promise.all(promised.map(now))) {
      expect(became).toMatchObject(refused);
    }
    expect(await now(run.ended)).toHaveProperty("cause", expect.any(Error));
  });

  test("that is refused is nobody's unhandled rejection", async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => unhandled.push(reason);
    process.on("unhandledRejection", note);
    for (const end of ["refused", "failed"]) {
      const { link } = sent();
      if (end === "failed") link.server.event(1, ends({ status: "failed" }));
      else link.server.refuses(gone);
      await wait(0);
    }
    const { setImmediate } = await import("node:timers/promises");
    await setImmediate();
    process.off("unhandledRejection", note);
    expect(unhandled).toEqual([]);
  });

  test("is followed by another by its id, behind an event, and left", async () => {
    const link = scriptedLink();
    const input = { runId, lastEventId: "7" };
    const run = new FollowedRun({ ...parts(link), input, cancel: async () => "cancelled" });
    expect(run.id).toBe(runId);
    expect(link.server.input).toEqual(input);
    const before = collect(run);
    run.detach();
    // Whoever stops reading by its own hand reads to an end; that there is no answer, the promises say.
    expect(await now(before)).toEqual([]);
    expect(await now(collect(run))).toEqual([]);
    expect(await now(run.ended)).toMatchObject({ code: "CLOSED", cause: undefined });
    expect(await now(run.text)).toMatchObject({ code: "CLOSED" });
    expect(link.transcript.at(-1)).toBe("0 leaves");
  });

  test("ends with its signal", async () => {
    const link = scriptedLink();
    const reason = new Error("Enough.");
    const signal = AbortSignal.abort(reason);
    const run = new FollowedRun({
      ...parts(link),
      signal,
      input: { runId },
      cancel: async () => "cancelled",
    });
    const closed = { code: "CLOSED", cause: reason };
    expect(await now(run.ended)).toMatchObject(closed);
    expect(await now(collect(run))).toMatchObject(closed);
  });
});

describe("a cancel", () => {
  test("waits until the server knows the run, and says how it ended, whichever comes first", async () => {
    const asked: string[] = [];
    const answer = Promise.withResolvers<RunStatus>();
    const cancel = (id: string) => {
      asked.push(id);
      return answer.promise;
    };
    const { link, run } = sent({ runId }, cancel as never);
    const cancelled = run.cancel();
    expect(await now(cancelled)).toBe("waits");
    expect(asked).toEqual([]);
    link.server.received();
    expect(await now(cancelled)).toBe("waits");
    expect(asked).toEqual([runId]);
    const again = run.cancel();
    answer.resolve("cancelled");
    expect(await now(cancelled)).toBe("cancelled");
    expect(await now(again)).toBe("cancelled");
  });

  test("whose answer does not come is over with the run", async () => {
    const { link, run } = sent({}, () => new Promise(() => {}));
    link.server.received();
    const cancelled = run.cancel();
    link.server.event(1, ends({ status: "completed" }));
    expect(await now(cancelled)).toBe("completed");
  });

  test("of a run that was refused is refused", async () => {
    const { link, run } = sent();
    const cancelled = run.cancel();
    link.server.refuses(gone);
    expect(await now(cancelled)).toMatchObject(gone);
  });
});
