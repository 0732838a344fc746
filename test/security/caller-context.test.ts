/** What `authenticate` knows of a caller: it reaches all of a bot's code, and nothing else. */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import { AIMessage, type BaseMessage } from "@langchain/core/messages";
import { RunnableLambda } from "@langchain/core/runnables";
import { tool } from "@langchain/core/tools";
import { Annotation, MessagesAnnotation, START, StateGraph } from "@langchain/langgraph";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { createAgent, createMiddleware } from "langchain";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { z } from "zod";
import { createClient, type LangwireClient } from "../../client/src/index.ts";
import { allOf, type Bot, defineBot, logRuns } from "../../src/index.ts";
import type { StorageOptions } from "../../src/open/open-storage.ts";
import type { Authenticate } from "../../src/server/access/identify.ts";
import { createLogger } from "../../src/server/logging/logger.ts";
import { traceRuns } from "../../src/server/metrics/tracing.ts";
import { scriptedModel, startTestServer } from "../../src/testing/index.ts";
import { type Kept, placesOf } from "../ops/kept-bytes.ts";
import { describeWithPostgres } from "../support/postgres.ts";
import { needsRedis, startRedis, type TestRedis } from "../support/redis.ts";
import { socketWithCookies } from "./cookie-client.ts";

/** In each caller's context, and in nothing else. */
const canary = "CANARY";
const tenant = z.object({ tenant: z.string(), key: z.string() });
type Tenant = z.infer<typeof tenant>;
const described = { title: "Tenant", description: "", context: tenant };

const sessions: Record<string, { userId: string; context?: unknown }> = {
  anna: { userId: "anna", context: { tenant: "acme", key: `${canary}-acme` } },
  bob: { userId: "bob", context: { tenant: "globex", key: `${canary}-globex` } },
  carol: { userId: "carol", context: { tenant: 5, key: `${canary}-carol` } },
  dave: { userId: "dave" },
};
const authenticate: Authenticate = ({ cookies: { session = "" } }) => sessions[session];

/** Told all that LangChain tells a tracer, which makes JSON of it. */
class Tracer extends BaseCallbackHandler {
  readonly name = "tracer";
  readonly told: string[] = [];

  constructor() {
    super({ _awaitHandler: true });
    const methods = ["ChatModelStart", "LLMEnd", "ChainStart", "ChainEnd", "ToolStart", "ToolEnd"];
    for (const method of methods) {
      Reflect.set(this, `handle${method}`, (...args: unknown[]) => {
        for (const arg of args) this.told.push(`${method} ${JSON.stringify(arg)}`);
      });
    }
  }
}

/** Each kind of code that a bot may have, and what it was given. */
function tenantBots(seen: unknown[]): { bots: Bot[]; tracer: Tracer } {
  const tracer = new Tracer();
  const note = (where: string, context: Tenant) => {
    seen.push([where, context.key]);
    return context.tenant;
  };
  type WithContext = { readonly context: Tenant };
  const own = (config: unknown) => (config as WithContext).context;

  const whoAmI = tool(async (_input, config) => note("tool", own(config)), {
    name: "who_am_i",
    description: "Says whose data this is.",
    schema: z.object({}),
  });
  const middleware = createMiddleware({
    name: "tenants",
    contextSchema: tenant,
    wrapModelCall: (request, handler) => {
      note("middleware", request.runtime.context);
      return handler(request);
    },
  });
  const model = scriptedModel((messages: readonly BaseMessage[]) => {
    const last = messages.at(-1);
    return last?.type === "tool"
      ? { tokens: ["For ", last.text] }
      : { toolCalls: [{ name: "who_am_i", args: {} }] };
  });
  model.callbacks = [tracer];
  const agent = createAgent({
    model,
    tools: [whoAmI],
    contextSchema: tenant,
    middleware: [middleware],
  });

  const State = Annotation.Root({ ...MessagesAnnotation.spec });
  const node = (_state: typeof State.State, config: unknown) => ({
    messages: [new AIMessage(`For ${note("node", own(config))}`)],
  });
  const graph = new StateGraph(State, tenant).addNode("node", node).addEdge(START, "node");

  const bots = [
    defineBot({ ...described, id: "agent", expose: "all", runnable: agent }),
    defineBot({ ...described, id: "graph", expose: "all", runnable: graph.compile() }),
    defineBot({
      ...described,
      id: "factory",
      input: ({ message }, { context }) => [message, note("input", context)],
      onEnd: ({ context }) => void note("onEnd", context),
      runnable: ({ context }) => {
        const ours = note("factory", context);
        return RunnableLambda.from((_input: unknown, config) => {
          note("lambda", own(config));
          return `For ${ours}`;
        });
      },
    }),
  ];
  return { bots, tracer };
}

interface StartOptions {
  readonly storage: StorageOptions;
  readonly kept: Omit<Kept, "folder">;
}

async function start({ storage, kept }: StartOptions) {
  const folder = await mkdtemp(join(tmpdir(), "langwire-context-"));
  const seen: unknown[] = [];
  const lines: string[] = [];
  const destination = new Writable({
    write: (chunk, _encoding, done) => {
      lines.push(String(chunk));
      done();
    },
  });
  const logger = createLogger({ level: "trace", destination });
  const exporter = new InMemorySpanExporter();
  const spanProcessors = [new SimpleSpanProcessor(exporter)];
  const traces = traceRuns(new BasicTracerProvider({ spanProcessors }));
  const { bots, tracer } = tenantBots(seen);
  const observer = allOf([logRuns(logger), traces]);
  const server = await startTestServer({
    ...{ bots, authenticate, observer, logger, dataDir: folder },
    ...storage,
  });
  const clients: LangwireClient[] = [];
  onTestFinished(async () => {
    for (const client of clients) await client.close();
    await server[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });
  const enter = (session: string) => {
    const jar = { cookie: `theme=dark; session=${session}` };
    const client = createClient({ url: server.url, WebSocket: socketWithCookies(jar) });
    clients.push(client);
    return client;
  };
  const places = () => placesOf(canary, { folder, ...kept });
  return { server, enter, seen, lines, exporter, tracer, places };
}

function declare(place: () => Promise<StartOptions>): void {
  test("it reaches all of a bot's code, and leaves the process by no way", async () => {
    const s = await start(await place());
    const anna = s.enter("anna");
    const bob = s.enter("bob");
    const received: unknown[] = [];
    for (const botId of ["agent", "graph", "factory"]) {
      const conversationId = randomUUID();
      await anna.conversations.create({ conversationId, botId });
      await anna.conversations.share({ conversationId });
      await bob.conversations.join({ conversationId });
      const watching = bob.watch({ conversationId });
      await watching.started;
      s.seen.length = 0;
      const run = anna.send({ botId, conversationId, message: "Whose data is this?" });
      expect(await run.text).toBe("For acme");
      await expect.poll(() => s.server.langwire.runs.live.size).toBe(0);
      // Whoever else is in the conversation, it is hers: she has sent the message.
      expect(new Set(s.seen.map((it) => (it as [string, string])[1]))).toEqual(
        new Set([`${canary}-acme`]),
      );
      s.seen.length = 0;
      const his = bob.send({ botId, conversationId, message: "And this?" });
      expect(await his.text).toBe("For globex");
      const wheres = new Set(s.seen.map((it) => (it as [string, string]).join(" ")));
      const expected = {
        agent: ["tool", "middleware"],
        graph: ["node"],
        factory: ["factory", "input", "lambda", "onEnd"],
      }[botId];
      await expect
        .poll(() => [...new Set(s.seen.map((it) => (it as [string, string]).join(" ")))].toSorted())
        .toEqual(expected?.map((where) => `${where} ${canary}-globex`).toSorted());
      expect(wheres.size).toBeGreaterThan(0);
      for (const sent of [run, his]) for await (const event of sent) received.push(event);
      const { items } = await anna.conversations.messages({ conversationId });
      received.push(items, await anna.conversations.get({ conversationId }));
      await watching.return();
    }
    const refused = s.enter("carol").send({ botId: "agent", message: "Mine?" });
    const failure = await refused.text.catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: "BOT_FAILED",
      message: "The caller's context does not fit the bot: context.tenant.",
    });
    const without = s.enter("dave").send({ botId: "agent", message: "Mine?" });
    await expect(without.text).rejects.toMatchObject({
      code: "BOT_FAILED",
      message: "The caller's context does not fit the bot: context.",
    });
    received.push(failure, await anna.conversations.list(), await anna.bots.list());

    expect(s.lines.length).toBeGreaterThan(10);
    expect(s.exporter.getFinishedSpans().length).toBeGreaterThan(10);
    expect(s.tracer.told.some((line) => line.startsWith("ChatModelStart"))).toBe(true);
    const spans = s.exporter
      .getFinishedSpans()
      .map(({ name, attributes, events }) => ({ name, attributes, events }));
    const told = { received, log: s.lines, spans, tracer: s.tracer.told };
    for (const [where, what] of Object.entries(told)) {
      expect(JSON.stringify(what), where).not.toContain(canary);
    }
    expect(await s.places()).toEqual([]);
  });
}

describe("a caller's context, on SQLite", () => {
  declare(async () => ({ storage: {}, kept: {} }));

  test("a run whose claim's answer was lost is never begun with another member's", async () => {
    const { server, seen } = await start({ storage: {}, kept: {} });
    const { runs, store } = server.langwire;
    const [anna, bob] = [sessions.anna, sessions.bob];
    if (anna === undefined || bob === undefined) throw new Error("Both have sessions.");
    const conversationId = randomUUID();
    await store.conversations.create({ conversationId, botId: "factory", userId: "anna" });
    await store.conversations.share(conversationId, "anna");
    await store.conversations.join(conversationId, "bob");
    const claim = store.runs.claim.bind(store.runs);
    vi.spyOn(store.runs, "claim").mockImplementationOnce(async (input) => {
      await claim(input);
      throw new Error("The answer was lost.");
    });
    const runId = randomUUID();
    const input = {
      conversationId,
      botId: "factory",
      runId,
      message: "Mine",
      ifBusy: "reject",
    } as const;
    await expect(runs.send(anna, input)).rejects.toThrow("lost");
    // He is a member, and his client asks for her run.
    await runs.send(bob, input);
    expect(runs.live.has(runId)).toBe(false);
    await runs.send(anna, input);
    await expect.poll(async () => (await store.runs.get(runId, "bob"))?.status).toBe("completed");
    const keys = new Set(seen.map((it) => (it as [string, string])[1]));
    expect(keys).toEqual(new Set([`${canary}-acme`]));
  });
});

await describeWithPostgres("a caller's context, on Postgres", (postgres) => {
  needsRedis("with Redis", () => {
    let redis: TestRedis;
    beforeAll(async () => {
      redis = await startRedis();
    });
    afterAll(() => redis[Symbol.asyncDispose]());
    declare(async () => {
      const database = await postgres.createDatabase();
      onTestFinished(() => database[Symbol.asyncDispose]());
      const databaseUrl = database.url;
      const shared = { redisUrl: redis.url, redisPrefix: randomUUID() };
      return { storage: { databaseUrl, ...shared }, kept: { databaseUrl, redis } };
    });
  });
});
