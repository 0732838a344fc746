/** Limits by plan: what an application's `limitsOf` says of each caller, in one process and over Redis. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { createClient } from "../../client/src/index.ts";
import { LangwireError, type LimitsOf } from "../../src/index.ts";
import type { StorageOptions } from "../../src/open/open-storage.ts";
import { findLimits } from "../../src/runs/admission/user-limits.ts";
import { startTestServer, type TestServerOptions } from "../../src/testing/index.ts";
import { describeWithPostgres } from "../support/postgres.ts";
import { needsRedis, startRedis, type TestRedis } from "../support/redis.ts";
import { scriptedBot } from "./scripted-bot.ts";

const limited = { code: "RATE_LIMITED" };
const plans: Record<string, Awaited<ReturnType<LimitsOf>>> = {
  free: {
    maxLiveRuns: 1,
    maxRunsPerMinute: 2,
    maxConversationsPerMinute: 1,
    maxMessageLength: 10,
  },
  pro: { maxRunsPerMinute: Number.POSITIVE_INFINITY, maxMessageLength: 100 },
  plain: null,
  none: { maxLiveRuns: 0 },
};

/** A caller's name is its plan's. */
const limitsOf: LimitsOf = async ({ userId, context }) => {
  expect(context).toEqual({ plan: userId });
  if (userId === "banned") throw new LangwireError("UNAUTHORIZED", { message: "Pay first." });
  if (userId === "broken") throw new TypeError("The table of plans is away.");
  if (userId === "wrong") return { maxRuns: 5 } as object;
  return plans[userId];
};

async function start(options: Partial<TestServerOptions> = {}, storage: StorageOptions = {}) {
  const stack = new AsyncDisposableStack();
  onTestFinished(() => stack.disposeAsync());
  const held = Promise.withResolvers<void>();
  stack.defer(() => held.resolve());
  const bot = scriptedBot((messages) => {
    const holds = messages.at(-1)?.text === "hold";
    return { tokens: ["a"], ...(holds && { until: held.promise }) };
  });
  const server = stack.use(
    await startTestServer({
      bots: [bot],
      authenticate: ({ connectionParams }) => {
        const userId = String(connectionParams?.token);
        return { userId, context: { plan: userId } };
      },
      limitsOf,
      userLimits: { maxLiveRuns: 3, maxRunsPerMinute: 3 },
      runLimits: { maxMessageLength: 20 },
      ...storage,
      ...options,
    }),
  );
  const clientOf = (plan: string) =>
    stack.use(createClient({ url: server.url, token: plan, backoff: { baseMs: 10, maxMs: 50 } }));
  return { server, clientOf, held };
}

type Started = Awaited<ReturnType<typeof start>>;

function declare(startTwo: () => Promise<readonly [Started, Started]>): void {
  test("runs at once, runs in a minute, conversations: each caller has their plan's", async () => {
    const [one, two] = await startTwo();
    const free = one.clientOf("free");
    const freeElsewhere = two.clientOf("free");
    const holding = free.send({ botId: "test", message: "hold" });
    for await (const event of holding) if (event.type === "token") break;
    const second = freeElsewhere.send({ botId: "test", message: "more" });
    await expect(second.text).rejects.toMatchObject(limited);
    one.held.resolve();
    await holding.text;
    await expect
      .poll(() => freeElsewhere.send({ botId: "test", message: "2nd" }).ended.catch(() => false))
      .toBeTruthy();
    const third = free.send({ botId: "test", message: "3rd" });
    await expect(third.text).rejects.toMatchObject({
      ...{ ...limited, retryAfterMs: expect.anything() },
      message: expect.stringContaining("at most 2 runs that you begin in a minute"),
    });
    await free.conversations.create({ botId: "test" });
    const more = freeElsewhere.conversations.create({ botId: "test" });
    await expect(more).rejects.toMatchObject(limited);

    const pro = one.clientOf("pro");
    for (let index = 0; index < 5; index++) {
      expect(await pro.send({ botId: "test", message: "often" }).text).toBe("a");
    }
    const plain = two.clientOf("plain");
    for (let index = 0; index < 3; index++) {
      expect(await plain.send({ botId: "test", message: "thrice" }).text).toBe("a");
    }
    const fourth = one.clientOf("plain").send({ botId: "test", message: "thrice" });
    await expect(fourth.text).rejects.toMatchObject(limited);
    const none = one.clientOf("none").send({ botId: "test", message: "once" });
    await expect(none.text).rejects.toMatchObject(limited);
  });
}

describe("in one process", () => {
  declare(async () => {
    const one = await start();
    return [one, one];
  });

  test("a message is as long as the caller's plan lets it be, and bots say how long", async () => {
    const { clientOf } = await start();
    const lengths: Record<string, number> = { free: 10, pro: 100, plain: 20 };
    for (const [plan, length] of Object.entries(lengths)) {
      const client = clientOf(plan);
      expect((await client.bots.list())[0]?.maxMessageLength).toBe(length);
      await client.send({ botId: "test", message: "x".repeat(length) }).text;
      const long = client.send({ botId: "test", message: "x".repeat(length + 1) });
      await expect(long.text).rejects.toMatchObject({
        code: "BAD_INPUT",
        message: `message: longer than ${length} characters`,
      });
    }
  });

  test("what it throws is the caller's refusal, or AUTH_UNAVAILABLE; a known run is followed", async () => {
    const plan: { code?: string } = {};
    const failures: unknown[] = [];
    const { clientOf } = await start({
      observer: { failed: (what, cause) => void failures.push([what, String(cause)]) },
      limitsOf: (caller) => {
        if (plan.code !== undefined) throw new TypeError(plan.code);
        return limitsOf(caller);
      },
    });
    const banned = clientOf("banned");
    const refusal = { code: "UNAUTHORIZED", message: "Pay first." };
    await expect(banned.send({ botId: "test", message: "x" }).text).rejects.toMatchObject(refusal);
    for (const broken of ["broken", "wrong"]) {
      await expect(clientOf(broken).conversations.create({ botId: "test" })).rejects.toMatchObject({
        code: "AUTH_UNAVAILABLE",
        message: "The caller's limits cannot be found out at the moment.",
      });
    }
    expect(failures).toContainEqual(["limitsOf failed", "TypeError: The table of plans is away."]);
    expect(failures).toContainEqual(["limitsOf failed", expect.stringContaining("maxRuns")]);
    const pro = clientOf("pro");
    const run = pro.send({ botId: "test", message: "x" });
    await run.text;
    plan.code = "away";
    expect(await pro.send(run.toJSON()).text).toBe("a");
  });

  test.each<[string, LimitsOf]>([
    ["is not answered", () => new Promise<never>(() => {})],
    ["is answered with text", () => "many" as never],
    ["is answered with a fraction", () => ({ maxLiveRuns: 0.5 })],
    ["is answered with less than nothing", () => ({ maxRunsPerMinute: -1 })],
    ["is answered with no number", () => ({ maxMessageLength: Number.NaN })],
  ])("a question that %s is no limit", async (_what, asked) => {
    const find = findLimits({ maxMessageLength: 5, limitsOf: asked, timeoutMs: 20 });
    await expect(find({ userId: "ann" })).rejects.toMatchObject({ code: "AUTH_UNAVAILABLE" });
  });

  test("no plan lets a message be longer than the protocol does", async () => {
    const find = findLimits({
      maxMessageLength: 5,
      limitsOf: () => ({ maxMessageLength: Number.POSITIVE_INFINITY, maxLiveRuns: undefined }),
    });
    const { maxMessageLength, ...rest } = await find({ userId: "ann" });
    expect(Number.isFinite(maxMessageLength)).toBe(true);
    expect(rest).toStrictEqual({});
  });

  test.each([
    [undefined, { maxMessageLength: 5 }],
    [null, { maxMessageLength: 5 }],
    [{}, { maxMessageLength: 5 }],
    [{ maxMessageLength: undefined, maxRunsPerMinute: undefined }, { maxMessageLength: 5 }],
    [{ maxMessageLength: 6 }, { maxMessageLength: 6 }],
    [{ maxLiveRuns: 0 }, { maxMessageLength: 5, maxLiveRuns: 0 }],
  ])("what a plan of %j leaves out is as it is for everybody", async (plan, limits) => {
    const find = findLimits({ maxMessageLength: 5, limitsOf: () => plan });
    expect(await find({ userId: "ann" })).toStrictEqual(limits);
  });
});

await describeWithPostgres("over several processes", (postgres) => {
  needsRedis("with Redis", () => {
    let redis: TestRedis;
    beforeAll(async () => {
      redis = await startRedis();
    });
    afterAll(() => redis[Symbol.asyncDispose]());
    declare(async () => {
      const database = await postgres.createDatabase();
      onTestFinished(() => database[Symbol.asyncDispose]());
      const shared = { redisUrl: redis.url, redisPrefix: randomUUID() };
      const storage = { databaseUrl: database.url, ...shared };
      return [await start({}, storage), await start({}, storage)];
    });
  });
});
