/** One run with a real bot, whatever happens to it and in whichever order: what is written, stored and told. */
import { RunnableLambda } from "@langchain/core/runnables";
import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";
import { defineBot } from "../../src/bots/bot.ts";
import { LangwireError } from "../../src/protocol/errors.ts";
import type { RunEnding } from "../../src/runs/run-events.ts";
import { pass, withOwnClock } from "../support/own-clock.ts";
import { firstSeq, limits, ToldModel, World } from "./live-run-world.ts";
import { botOf } from "./run-bench.ts";

withOwnClock();

const codes = ["RUN_TIMEOUT", "OVERLOADED", "STORE_UNAVAILABLE", "OWNER_LOST"] as const;
const stop = fc.oneof(
  fc.record({ cancel: fc.constant(true) }),
  fc.record({ fail: fc.constantFrom(...codes) }),
  fc.record({ lose: fc.constantFrom("STORE_UNAVAILABLE", "OWNER_LOST") }),
  fc.record({ timeout: fc.constant(true) }),
);
const happening = fc.oneof(
  { weight: 6, arbitrary: fc.record({ say: fc.constantFrom("a", "bc", "d", "x".repeat(700)) }) },
  { weight: 1, arbitrary: fc.record({ say: fc.constant("y".repeat(5_000)) }) },
  { weight: 2, arbitrary: stop },
);
const stored = fc.constantFrom<Partial<RunEnding> | "throws">(
  ...[{}, {}, { archivedBytes: 10 }, "throws" as const],
  { status: "failed", text: "elsewhere", error: new LangwireError("SERVER_RESTARTED").toFailure() },
);

test("a run ends for what came first, once, stored before it is told, and nothing of it comes after", async () => {
  const property = fc.asyncProperty(
    fc.array(happening, { maxLength: 12, size: "max" }),
    fc.boolean(),
    fc.array(stop, { maxLength: 2 }),
    stored,
    async (happenings, botFails, afterItsEnd, storing) => {
      const model = new ToldModel();
      const world = new World(botOf(model));
      const { live, written } = world;
      let reason: string | undefined;
      const stopIt = async (it: typeof stop extends fc.Arbitrary<infer T> ? T : never) => {
        if ("cancel" in it) live.cancel();
        else if ("fail" in it) live.fail(new LangwireError(it.fail));
        else if ("lose" in it) world.lost.abort(new LangwireError(it.lose as "OWNER_LOST"));
        else await pass(limits.runTimeoutMs);
        if ("cancel" in it) return "cancelled";
        return "fail" in it ? it.fail : "lose" in it ? it.lose : "RUN_TIMEOUT";
      };
      let wasLost = false;
      await pass(0);
      // A model that has said nothing has failed.
      for (const it of [...happenings, { say: "z" }]) {
        if (!("say" in it)) {
          // A log is lost once.
          if ("lose" in it && wasLost) continue;
          wasLost ||= "lose" in it;
          const why = await stopIt(it);
          reason ??= why;
          continue;
        }
        const before = written.length;
        const said = model.say(it.say);
        if (reason !== undefined) {
          // Nobody need ask it any more.
          await pass(0);
          expect(written.slice(before).filter(({ type }) => type !== "runEnd")).toEqual([]);
          continue;
        }
        await said;
        // runStart is not of what the bot says.
        const bytes = written
          .slice(1, before)
          .reduce((sum, e) => sum + JSON.stringify(e).length, 0);
        const fits = bytes + it.say.length <= limits.maxRunBytes;
        const last = written.slice(before).filter(({ type }) => type === "token");
        expect(last).toEqual(fits ? [expect.objectContaining({ text: it.say })] : []);
        const grown = bytes + JSON.stringify(last[0] ?? "").length;
        const events = written.filter(({ type }) => type !== "runEnd").length - 1;
        if (!fits || grown > limits.maxRunBytes || events > limits.maxRunEvents) {
          reason = "RUN_TOO_LARGE";
        }
      }
      void model.say(botFails ? new Error("broken") : undefined);
      await Promise.race([world.decided.promise, live.ended]);
      // The model's last event counts as well.
      const [, ...said] = written.filter(({ type }) => type !== "runEnd");
      const saidBytes = said.reduce((sum, event) => sum + JSON.stringify(event).length, 0);
      const isTooLarge = saidBytes > limits.maxRunBytes || said.length > limits.maxRunEvents;
      if (isTooLarge) reason ??= "RUN_TOO_LARGE";
      const text = written.map((event) => (event.type === "token" ? event.text : "")).join("");
      if (reason === "OWNER_LOST") {
        expect(world.told).toMatchObject({ status: "failed", error: { code: reason } });
        expect([world.stored, world.closings, world.ends]).toEqual([[], [], ["told"]]);
        expect(world.isCounted).toBe(false);
        return;
      }
      const code = reason ?? (botFails ? "PROVIDER_ERROR" : undefined);
      const expected = {
        status: code === undefined ? "completed" : reason === "cancelled" ? "cancelled" : "failed",
        text,
        ...(code !== undefined && code !== "cancelled" && { error: { code } }),
      };
      expect(world.stored).toMatchObject([{ ending: expected, endSeq: firstSeq + written.length }]);
      // Decided is decided.
      for (const it of afterItsEnd) await stopIt(it);
      await pass(0);
      expect(world.ends).toEqual(["stored"]);
      if (storing === "throws") {
        world.stores.reject(new TypeError("a fault of ours"));
        await pass(0);
        expect(world.told).toMatchObject({ status: "failed", text, error: { code: "INTERNAL" } });
        expect([world.ends, world.isCounted]).toEqual([["stored", "told"], false]);
        return;
      }
      world.stores.resolve(storing);
      await pass(0);
      // Whoever reads on waits until the log has it; others may have its room at once.
      expect([world.ends, world.isCounted]).toEqual([["stored", "appended"], false]);
      expect(written.at(-1)).toMatchObject({ type: "runEnd", ...expected, ...readable(storing) });
      expect(world.closings).toEqual([]);
      world.flushes.resolve();
      await pass(0);
      expect(world.ends).toEqual(["stored", "appended", "told"]);
      expect(world.told).toMatchObject({ ...expected, ...storing });
      expect(world.closings).toEqual([storing.archivedBytes !== undefined]);
      expect(written.filter(({ type }) => type === "runEnd")).toHaveLength(1);
    },
  );
  await fc.assert(property, { numRuns: 150 });
});

/** What a reader is told of it. */
function readable({ archivedBytes: _, ...ending }: Partial<RunEnding>): Partial<RunEnding> {
  return ending;
}

test("a run whose history cannot be read fails, and its bot is not asked", async () => {
  const asked: unknown[] = [];
  const bot = botOf(RunnableLambda.from((input: unknown) => void asked.push(input)));
  const history = () => Promise.reject(new Error("away"));
  const world = new World(bot, { history });
  await world.decided.promise;
  const error = { code: "STORE_UNAVAILABLE" };
  expect([world.stored, asked]).toMatchObject([[{ ending: { status: "failed", error } }], []]);
});

test("an output may have as many bytes as a run, and not one more", async () => {
  const output = z.object({ a: z.string() });
  /** Of so many bytes as JSON: half as many characters. */
  const ofLength = (length: number) => ({ a: "é".repeat((length - 8) / 2) });
  const codesOf = [];
  for (const length of [limits.maxRunBytes, limits.maxRunBytes + 2]) {
    const runnable = RunnableLambda.from(() => ofLength(length));
    const facts = { id: "typed", title: "Typed", description: "" };
    const world = new World(defineBot({ ...facts, runnable, output }));
    await world.decided.promise;
    codesOf.push(world.stored.map(({ ending }) => ending.error?.code ?? ending.status));
  }
  expect(codesOf).toEqual([["completed"], ["RUN_TOO_LARGE"]]);
});
