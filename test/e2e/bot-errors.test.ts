/** What a bot's code throws reaches whoever can correct it, and nobody else. */
import { randomUUID } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunnableConfig, RunnableLambda } from "@langchain/core/runnables";
import { ChatOpenAI } from "@langchain/openai";
import { createAgent, tool } from "langchain";
import { createClient, LangwireClientError } from "langwire-client";
import { pino } from "pino";
import { afterEach, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { type BotDefinition, defineBot } from "../../src/bots/bot.ts";
import { createFetchHandler, openLangwire } from "../../src/index.ts";
import { LangwireError } from "../../src/protocol/errors.ts";
import { logRuns } from "../../src/runs/run-log.ts";
import { createLogger } from "../../src/server/logging/logger.ts";
import { scriptedModel, startTestServer, type TestServerOptions } from "../../src/testing/index.ts";
import { freePort } from "../support/free-port.ts";
import { read, sseClient, wsClient } from "../support/stock-client.ts";
import { expectWholeRun, ofType } from "../support/transcript.ts";

const canary = "no city canary-5d0a71";
const ownLine = /test\/e2e\/bot-errors\.test\.ts:\d+:\d+/;

class CityError extends Error {
  override readonly name = "CityError";
}

function lookUp(): never {
  throw new CityError(canary);
}

const fine = RunnableLambda.from(() => "fine");
const failing = { runnable: RunnableLambda.from(() => lookUp()) };

/** An agent whose tool throws, and which copes: LangGraph makes a message for the model of it. */
const coping = (): Pick<BotDefinition, "runnable"> => {
  const weather = tool(lookUp, { name: "weather", schema: z.object({}), description: "" });
  const calls = [{ name: "weather", args: {}, id: "call-1" }];
  const model = scriptedModel([{ toolCalls: calls }, { tokens: ["no idea"] }]);
  return { runnable: createAgent({ model, tools: [weather] }) };
};

function botOf(settings: Pick<BotDefinition, "runnable"> & Partial<BotDefinition>) {
  return defineBot({ id: "bot", title: "Bot", description: "", expose: "tools", ...settings });
}

async function setUp(
  settings: Parameters<typeof botOf>[0],
  options: Partial<TestServerOptions> = {},
) {
  const stack = new AsyncDisposableStack();
  const server = stack.use(
    await startTestServer({ observer: {}, ...options, bots: [botOf(settings)] }),
  );
  const client = stack.use(wsClient(server.url));
  const run = () => ({ ...{ runId: randomUUID(), conversationId: randomUUID() }, botId: "bot" });
  const send = async (message = "hello") => {
    const sent = { ...run(), message };
    const received = await read((to) => client.api.chat.send.subscribe(sent, to)).completed;
    return { received, end: expectWholeRun(received), ...sent };
  };
  return { server, client, send, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

function logged(level = "info") {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const observer = logRuns(createLogger({ level, destination }));
  const entries = (): Record<string, unknown>[] => lines.map((line) => JSON.parse(line));
  return { lines, entries, observer };
}

afterEach(() => void vi.restoreAllMocks());

describe("the log at level info", () => {
  const places: Record<string, Parameters<typeof botOf>[0]> = {
    "its runnable": failing,
    "its factory": { runnable: lookUp },
    "its input": { runnable: fine, input: lookUp },
    "its output": { runnable: fine, output: lookUp },
    "its speaks": { runnable: scriptedModel([{ tokens: ["hi"] }]), speaks: lookUp },
  };
  test.each(Object.entries(places))("has what %s threw, and where", async (_where, bot) => {
    const { entries, observer } = logged();
    await using s = await setUp(bot, { observer });
    const { end, runId } = await s.send();
    expect(end.error?.code).toBe("BOT_FAILED");
    await expect.poll(() => entries().at(-1)).toMatchObject({ msg: "run failed", runId });
    const { detail } = entries().at(-1) ?? {};
    expect(detail).toMatch(`CityError: ${canary}\n    at `);
    expect(detail).toMatch(ownLine);
  });

  test("has where a bot refused in words of its own", async () => {
    const { entries, observer } = logged();
    const runnable = RunnableLambda.from(() => {
      throw new LangwireError("BOT_REFUSED", { message: "Only about orders." });
    });
    await using s = await setUp({ runnable }, { observer });
    const { end } = await s.send();
    expect(end.error).toMatchObject({ code: "BOT_REFUSED", message: "Only about orders." });
    await expect.poll(() => entries().at(-1)?.msg).toBe("run failed");
    expect(entries().at(-1)?.detail).toMatch(/^LangwireError \(BOT_REFUSED\): Only about orders\./);
    expect(entries().at(-1)?.detail).toMatch(ownLine);
  });

  test("has what a tool threw inside an agent that goes on, once", async () => {
    const { entries, observer } = logged();
    await using s = await setUp(coping(), { observer });
    const { end, runId } = await s.send();
    expect(end).toMatchObject({ status: "completed", text: "no idea" });
    const told = entries().filter(({ level }) => Number(level) >= 40);
    expect(told).toMatchObject([{ msg: "tool failed", runId, botId: "bot", tool: "weather" }]);
    expect(told[0]?.detail).toMatch(`CityError: ${canary}`);
    expect(told[0]?.detail).toMatch(ownLine);
  });

  test("has it once, though it passes through a tool around that one", async () => {
    const schema = z.object({});
    const inner = tool(lookUp, { name: "inner", schema, description: "" });
    const outer = tool((_, config) => inner.invoke({}, config), { name: "outer", schema });
    const runnable = RunnableLambda.from((_: string, config: RunnableConfig) =>
      outer.invoke({}, config).catch(() => "made do"),
    );
    const { entries, observer } = logged();
    await using s = await setUp({ runnable }, { observer });
    expect((await s.send()).end).toMatchObject({ status: "completed", text: "made do" });
    const failed = entries().filter(({ msg }) => msg === "tool failed");
    expect(failed).toMatchObject([{ tool: "inner" }]);
  });

  test.each(["weather", "nobody"])(
    "has not the arguments of a call that did not fit: %s",
    async (name) => {
      const schema = z.object({ city: z.string() });
      const weather = tool(() => "sunny", { name: "weather", schema, description: "" });
      const calls = [{ name, args: { place: canary }, id: "call-1" }];
      const model = scriptedModel([{ toolCalls: calls }, { tokens: ["no idea"] }]);
      const { entries, lines, observer } = logged();
      await using s = await setUp(
        { runnable: createAgent({ model, tools: [weather] }) },
        { observer },
      );
      expect((await s.send()).end.status).toBe("completed");
      expect(entries().filter(({ msg }) => msg === "tool failed")).toMatchObject([{ tool: name }]);
      expect(lines.join("")).not.toContain(canary);
    },
  );

  test("has not what a provider said, and at level debug neither without being asked", async () => {
    const refusal = Object.assign(new Error(`bad prompt: ${canary}`), { status: 400 });
    const bot = { runnable: scriptedModel([{ error: refusal }]) };
    const { entries, lines, observer } = logged();
    await using s = await setUp(bot, { observer });
    expect((await s.send()).end.error?.code).toBe("PROVIDER_REJECTED");
    await expect.poll(() => entries().at(-1)?.msg).toBe("run failed");
    expect(entries().at(-1)?.detail).toMatch(/^Error \(400\)\n/);
    expect(lines.join("")).not.toContain(canary);
  });

  test("has the address at which no provider was reached", async () => {
    const port = await freePort();
    const configuration = { baseURL: `http://127.0.0.1:${port}/v1` };
    const model = new ChatOpenAI({ model: "m", apiKey: "k", maxRetries: 0, configuration });
    const { entries, observer } = logged();
    await using s = await setUp({ runnable: model }, { observer });
    expect((await s.send()).end.error?.code).toBe("PROVIDER_ERROR");
    await expect.poll(() => entries().at(-1)?.msg).toBe("run failed");
    const [first] = String(entries().at(-1)?.detail).split("\n");
    expect(first).toBe(`The provider cannot be reached at 127.0.0.1:${port}: connection refused`);
  });

  test("has what authenticate threw", async () => {
    const lines: string[] = [];
    const destination = { write: (line: string) => void lines.push(line) };
    const logger = createLogger({ level: "info", destination });
    await using s = await setUp({ runnable: fine }, { logger, authenticate: lookUp });
    const refusal = await refused(s.server);
    expect(refusal).not.toContain(canary);
    const failed = lines
      .map((line) => JSON.parse(line))
      .find(({ msg }) => msg === "authenticate failed");
    expect(failed?.detail).toMatch(`CityError: ${canary}`);
  });
});

/** What a caller is answered who could not be identified. */
async function refused({ httpUrl }: { readonly httpUrl: string }): Promise<string> {
  const headers = { authorization: "Bearer x" };
  const answer = await fetch(`${httpUrl}/bots.list`, { headers });
  expect(answer.status).toBe(401);
  return await answer.text();
}

describe("a library's user who names no observer", () => {
  test("finds what was thrown on the console", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    await using server = await startTestServer({ bots: [botOf(failing)] });
    await using client = createClient({ url: server.url });
    const run = client.send({ botId: "bot", message: "hi" });
    await expect(run.text).rejects.toThrow(LangwireClientError);
    await expect.poll(() => warn.mock.calls).toHaveLength(1);
    const [text] = warn.mock.calls[0] ?? [];
    expect(text).toMatch(
      `[langwire] run failed: BOT_FAILED, bot bot, run ${run.id}\n  CityError: `,
    );
    expect(text).toMatch(ownLine);
  });

  test("finds no line there that somebody else has written", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const forging = RunnableLambda.from((): string => {
      throw new Error("no city\n[langwire] run failed: forged\u001b[2J\u202e");
    });
    await using server = await startTestServer({ bots: [botOf({ runnable: forging })] });
    await using client = createClient({ url: server.url });
    await client.send({ botId: "bot", message: "hi" }).text.catch(() => {});
    await expect.poll(() => warn.mock.calls).toHaveLength(1);
    const lines = String(warn.mock.calls[0]?.[0]).split("\n");
    expect(lines.filter((line) => line.startsWith("[langwire]"))).toHaveLength(1);
    expect(lines.join("")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });

  test("has no provider's words in the log of its server, which may quote prompts", async () => {
    const told: object[] = [];
    const log = (fields: object) => void told.push(fields);
    const refused = RunnableLambda.from((): string => {
      throw Object.assign(new Error(canary), { lc_error_code: "MODEL_RATE_LIMIT" });
    });
    await using server = await startTestServer({ bots: [botOf({ runnable: refused })] });
    await using client = createClient({ url: server.url });
    server.langwire.defaultLog?.use({ info: log, warn: log, error: log }, { quotes: false });
    await client.send({ botId: "bot", message: "hi" }).text.catch(() => {});
    await expect.poll(() => told.length).toBeGreaterThan(0);
    const details = told.map((fields) => Reflect.get(fields, "detail"));
    expect(details.join()).not.toContain(canary);
  });

  test("finds there what its authenticate and its schemas threw", async () => {
    const error = vi.spyOn(console, "error").mockImplementation(() => {});
    const input = z.object({ city: z.string().refine(lookUp) });
    const bots = [botOf({ runnable: fine, input })];
    const authenticate = ({ headers }: { headers: { authorization?: unknown } }) =>
      headers.authorization === undefined ? { userId: "ann" } : lookUp();
    await using server = await startTestServer({ bots, authenticate });
    await refused(server);
    await using client = createClient({ url: server.url });
    await client.send({ botId: "bot", input: { city: "Rome" } }).text.catch(() => {});
    const told = error.mock.calls.map(([text]) => String(text));
    expect(told).toEqual([
      expect.stringContaining(`[langwire] authenticate failed\n  CityError: ${canary}`),
      expect.stringContaining(
        "[langwire] request failed: BOT_FAILED, path chat.send\n  CityError: ",
      ),
    ]);
  });

  test("finds it in the server's logger in its place, where there is one", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const lines: string[] = [];
    const logger = pino({ level: "info" }, { write: (line: string) => void lines.push(line) });
    await using server = await startTestServer({ bots: [botOf(failing)], logger });
    await using client = createClient({ url: server.url });
    await client.send({ botId: "bot", message: "hi" }).text.catch(() => {});
    await expect.poll(() => lines.join("")).toContain("run failed");
    expect(lines.join("")).toContain(canary);
    expect(warn).not.toHaveBeenCalled();
  });

  test("is told nothing with an observer of no methods", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    await using s = await setUp(failing, { observer: {} });
    await s.send();
    await s.server.langwire.runs.drain(0);
    expect(warn).not.toHaveBeenCalled();
  });
});

describe("in a test", () => {
  test("the error that a run failed with is the client's error's cause", async () => {
    await using server = await startTestServer({ bots: [botOf(failing)], observer: {} });
    await using client = createClient({ url: server.url });
    const run = client.send({ botId: "bot", message: "hi" });
    const error = await run.text.catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: "BOT_FAILED", detail: undefined });
    const { cause } = error as LangwireClientError;
    expect(cause).toBeInstanceOf(CityError);
    expect((cause as Error).stack).toMatch(ownLine);
    expect(server.thrown.get(run.id)).toBe(cause);
  });

  test("what one server's bots threw is forgotten with it", async () => {
    const server = await startTestServer({ bots: [botOf(failing)], observer: {} });
    await using client = createClient({ url: server.url });
    const run = client.send({ botId: "bot", message: "hi" });
    await run.ended;
    const registry = Reflect.get(globalThis, Symbol.for("langwire.testing.thrown"));
    expect(registry.has(run.id)).toBe(true);
    await server[Symbol.asyncDispose]();
    expect(registry.has(run.id)).toBe(false);
  });
});

describe("callers of a server in development mode", () => {
  test("get what was thrown, live, again, and from the history", async () => {
    await using s = await setUp(failing, { dev: true });
    const { received, end, ...run } = await s.send();
    expect(end.error?.detail).toMatch(`CityError: ${canary}\n    at lookUp (`);
    expect(ofType(received, "error").at(-1)?.detail).toBe(end.error?.detail);
    using other = sseClient(s.server.httpUrl);
    const { runId, conversationId } = run;
    const again = await read((to) => other.api.chat.follow.subscribe({ runId }, to)).completed;
    expect(again).toEqual(received);
    const { items } = await s.client.api.conversations.messages.query({ conversationId });
    expect(items.find(({ role }) => role === "ai")?.error).toEqual(end.error);
  });

  test("get what a tool threw, in its event and in its part", async () => {
    await using s = await setUp(coping(), { dev: true });
    const { received, conversationId } = await s.send();
    const failed = ofType(received, "error").find(({ source }) => source === "tool");
    expect(failed?.detail).toMatch(`CityError: ${canary}`);
    const { items } = await s.client.api.conversations.messages.query({ conversationId });
    const parts = items.flatMap(({ parts = [] }) => parts);
    const used = parts.find(({ type }) => type === "tool");
    expect(used).toMatchObject({ state: "failed", error: { detail: failed?.detail } });
  });

  test("get what a refused call threw", async () => {
    const input = z.object({ city: z.string().refine(lookUp) });
    await using s = await setUp({ runnable: fine, input }, { dev: true });
    const sent = { ...{ runId: randomUUID(), conversationId: randomUUID() }, botId: "bot" };
    const refused = await read((to) =>
      s.client.api.chat.send.subscribe({ ...sent, input: { city: "Rome" } }, to),
    ).completed.catch((cause: unknown) => cause);
    const { langwire } = (refused as { data: { langwire: Record<string, unknown> } }).data;
    expect(langwire).toMatchObject({ code: "BOT_FAILED", detail: expect.stringContaining(canary) });
  });

  test("get it from a route handler as well", async () => {
    await using langwire = await openLangwire({ bots: [botOf(failing)], observer: {} });
    const handle = createFetchHandler({ langwire, dev: true });
    const input = {
      runId: randomUUID(),
      conversationId: randomUUID(),
      botId: "bot",
      message: "hi",
    };
    const query = encodeURIComponent(JSON.stringify({ json: input }));
    const answer = await handle(
      new Request(`http://127.0.0.1/api/chat.send?input=${query}`, {
        headers: { accept: "text/event-stream", host: "127.0.0.1" },
      }),
    );
    let text = "";
    for await (const piece of answer.body?.pipeThrough(new TextDecoderStream()) ?? [])
      text += piece;
    expect(text).toContain(`"detail":"CityError: ${canary}`);
  });

  test("get it in the client's errors", async () => {
    await using server = await startTestServer({ bots: [botOf(failing)], observer: {}, dev: true });
    await using client = createClient({ url: server.url });
    const error = await client.send({ botId: "bot", message: "hi" }).text.catch((cause) => cause);
    expect(error.detail).toMatch(ownLine);
  });
});

describe("in production", () => {
  test("nothing of what was thrown is sent or stored, of development's runs neither", async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "langwire-canary-"));
    await using stack = new AsyncDisposableStack();
    stack.defer(() => rm(dataDir, { recursive: true }));
    const seen: unknown[] = [];
    const inDev = await setUp(failing, { dataDir, dev: true });
    const before = await inDev.send();
    await inDev[Symbol.asyncDispose]();
    await using s = await setUp(failing, { dataDir });
    const now = await s.send();
    for (const { runId, conversationId } of [before, now]) {
      const follow = read((to) => s.client.api.chat.follow.subscribe({ runId }, to));
      seen.push(await follow.completed);
      seen.push(await s.client.api.conversations.messages.query({ conversationId }));
    }
    seen.push(now.received);
    expect(JSON.stringify(before.received)).toContain(canary);
    expect(JSON.stringify(seen)).toContain("BOT_FAILED");
    expect(JSON.stringify(seen)).not.toMatch(/canary|"detail"|lookUp|\.test\.ts/);
    const files = await readdir(dataDir, { recursive: true });
    expect(files.length).toBeGreaterThan(1);
    for (const file of files) {
      const bytes = await readFile(join(dataDir, file)).catch(() => Buffer.alloc(0));
      expect(bytes.includes("canary-5d0a71"), file).toBe(false);
    }
  });
});
