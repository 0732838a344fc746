/**
 * What each token costs, counted instead of timed: appends to the log, rows of the journal, frames, writes to
 * sockets, JSON made and JSON read. Whoever adds work to the path of a token meets this test.
 */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync, StatementSync } from "node:sqlite";
import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import { afterEach, describe, expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import { createModel, defineBot } from "../src/index.ts";
import { ConversationLog } from "../src/log/conversation-log.ts";
import { startTestServer } from "../src/testing/index.ts";
import { ScriptedModel } from "../src/testing/scripted-model.ts";
import { startMockProvider } from "./support/mock-provider.ts";

const tokens = Array.from({ length: 1_000 }, (_, index) => ` token${index} "quoted" 炭酸`);
const text = tokens.join("");

/** Older groups than this are cut although nobody has given the turn back. */
const groupMaxAgeMs = 10;

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const groups = 10;

/** Takes its time now and then, without giving the turn back. The clock has to be a fake one. */
class SlowModel extends ScriptedModel {
  override async *_streamResponseChunks(
    ...call: Parameters<ScriptedModel["_streamResponseChunks"]>
  ): ReturnType<ScriptedModel["_streamResponseChunks"]> {
    let index = 0;
    for await (const chunk of super._streamResponseChunks(...call)) {
      if (index++ % (tokens.length / groups) === 0) vi.advanceTimersByTime(groupMaxAgeMs + 1);
      yield chunk;
    }
  }
}

/**
 * `burst`: every token in one turn of the event loop, as a fast provider's come. `single`: each in a
 * turn of its own.
 */
async function setUp(load: "burst" | "single" | "slow burst" | BaseChatModel) {
  const stack = new AsyncDisposableStack();
  const dataDir = mkdtempSync(join(tmpdir(), "langwire-guard-"));
  stack.defer(() => rmSync(dataDir, { recursive: true }));
  const runnable = typeof load === "string" ? modelFor(load) : load;
  const bot = defineBot({ id: "test", title: "Test", description: "", runnable });
  const server = stack.use(await startTestServer({ bots: [bot], dataDir }));
  const sockets = {
    open: async (): Promise<CountingSocket> => {
      const socket = new CountingSocket(server.url);
      stack.defer(() => socket.close());
      await socket.opened;
      return socket;
    },
  };
  const database = stack.adopt(new DatabaseSync(join(dataDir, "langwire.sqlite")), (it) =>
    it.close(),
  );
  const journalRows = (): number =>
    Number(database.prepare("select count(*) as rows from journal").get()?.rows);
  return { server, sockets, journalRows, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

function modelFor(load: "burst" | "single" | "slow burst"): BaseChatModel {
  const Model = load === "slow burst" ? SlowModel : ScriptedModel;
  return new Model(() => ({ tokens, ...(load === "single" && { paceMs: 0 }) }));
}

/** Keeps its frames as they came, so that reading them costs nothing while others are counted. */
class CountingSocket {
  readonly opened: Promise<unknown>;
  readonly frames: string[] = [];
  readonly #webSocket: WebSocket;
  readonly #ended = Promise.withResolvers<void>();

  constructor(url: string) {
    this.#webSocket = new WebSocket(url);
    this.opened = once(this.#webSocket, "open");
    this.#webSocket.on("message", (data: Buffer) => {
      const frame = data.toString();
      this.frames.push(frame);
      if (frame.includes('"type":"runEnd"')) this.#ended.resolve();
    });
  }

  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  async subscribe(path: string, input: object): Promise<void> {
    const request = { id: 1, method: "subscription", params: { path, input: { json: input } } };
    this.#webSocket.send(JSON.stringify(request));
    await expect.poll(() => this.frames.length, { interval: 1 }).toBeGreaterThan(0);
  }

  async mutate(path: string, input: object): Promise<void> {
    const request = { id: 0, method: "mutation", params: { path, input: { json: input } } };
    this.#webSocket.send(JSON.stringify(request));
    await expect.poll(() => this.frames.length, { interval: 1 }).toBeGreaterThan(0);
    this.frames.length = 0;
  }

  close(): void {
    this.#webSocket.terminate();
  }
}

interface Read {
  /** Frames that carry tokens. */
  readonly tokenFrames: number;
  readonly otherFrames: number;
  readonly text: string;
}

function readFrames({ frames }: CountingSocket): Read {
  const events = frames
    .map((frame) => JSON.parse(frame).result?.data?.json?.data)
    .filter((event) => event !== undefined);
  const spoken = events.filter(({ type }) => type === "token");
  return {
    tokenFrames: spoken.length,
    otherFrames: frames.length - spoken.length,
    text: spoken.map((event) => event.text).join(""),
  };
}

interface Work {
  /** Events given to the log. */
  readonly appended: number;
  /** JSON texts made. */
  readonly made: number;
  /** JSON texts read. */
  readonly read: number;
}

/** What this process does while something goes on. */
async function counting(what: () => Promise<void>): Promise<Work> {
  const append = vi.spyOn(ConversationLog.prototype, "append");
  const stringify = vi.spyOn(JSON, "stringify");
  const parse = vi.spyOn(JSON, "parse");
  await what();
  const [appended, made, read] = [append, stringify, parse].map(({ mock }) => mock.calls.length);
  for (const spy of [append, stringify, parse]) spy.mockRestore();
  return { appended: appended ?? 0, made: made ?? 0, read: read ?? 0 };
}

interface Written {
  /** Calls that give a socket something to write: each is a system call. */
  readonly writes: number;
  /** Buffers that were made of frames with tokens: a frame that several sockets were sent is one. */
  readonly tokenFrames: number;
}

/** What all sockets of this process write while something goes on. */
async function countingWrites(what: () => Promise<void>): Promise<Written> {
  const one = vi.spyOn(Socket.prototype, "_write");
  const several = vi.spyOn(Socket.prototype, "_writev" as "_write");
  const write = vi.spyOn(Socket.prototype, "write");
  await what();
  const writes = one.mock.calls.length + several.mock.calls.length;
  const frames = write.mock.calls.map(([chunk]) => chunk).filter((chunk) => Buffer.isBuffer(chunk));
  const tokenFrames = new Set(frames.filter((frame) => frame.includes('"type":"token"')));
  for (const spy of [one, several, write]) spy.mockRestore();
  return { writes, tokenFrames: tokenFrames.size };
}

const newRun = (conversationId: string = randomUUID()) => ({
  runId: randomUUID(),
  botId: "test",
  conversationId,
  message: "hello",
});

/** What a run costs beside its tokens: requests, spans, its row in the store, its end. */
const perRun = 60;

describe("1,000 tokens in one turn of the loop", () => {
  test("are one event, one row of the journal and one frame", async () => {
    await using s = await setUp("burst");
    const reader = await s.sockets.open();
    vi.useFakeTimers({ toFake: ["performance"] });
    const rowsBefore = s.journalRows();
    const work = await counting(async () => {
      await reader.subscribe("chat.send", newRun());
      await reader.ended;
    });
    const { tokenFrames, otherFrames, text: received } = readFrames(reader);
    expect(received).toBe(text);
    expect(tokenFrames).toBe(1);
    expect(otherFrames).toBeLessThanOrEqual(8);
    expect(s.journalRows() - rowsBefore).toBeLessThanOrEqual(4);
    expect(work.appended).toBeLessThanOrEqual(tokens.length + perRun);
    expect(work.made).toBeLessThanOrEqual(tokens.length + perRun);
    expect(work.read).toBeLessThanOrEqual(perRun);
  });

  test("leave in groups when the turn lasts, so that a reader does not wait for its end", async () => {
    await using s = await setUp("slow burst");
    const reader = await s.sockets.open();
    vi.useFakeTimers({ toFake: ["performance"] });
    await reader.subscribe("chat.send", newRun());
    await reader.ended;
    const { tokenFrames, text: received } = readFrames(reader);
    expect(received).toBe(text);
    // A reader takes as many groups at once as have piled up before it has its turn.
    expect(tokenFrames).toBeLessThanOrEqual(groups + 1);
    expect(s.journalRows()).toBeGreaterThanOrEqual(groups);
    expect(s.journalRows()).toBeLessThanOrEqual(groups + 5);
  });

  test("are made into JSON once for ten readers, and are one frame to each", async () => {
    await using s = await setUp("burst");
    const [sender, ...watchers] = await Promise.all(
      Array.from({ length: 10 }, () => s.sockets.open()),
    );
    if (sender === undefined) throw new Error("no sender");
    const run = newRun();
    await sender.mutate("conversations.create", run);
    for (const watcher of watchers) await watcher.subscribe("chat.watch", run);
    vi.useFakeTimers({ toFake: ["performance"] });
    const work = await counting(async () => {
      await sender.subscribe("chat.send", run);
      await Promise.all([sender, ...watchers].map(({ ended }) => ended));
    });
    for (const reader of [sender, ...watchers]) {
      expect(readFrames(reader)).toMatchObject({ tokenFrames: 1, text });
    }
    expect(work.appended).toBeLessThanOrEqual(tokens.length + perRun);
    expect(work.made).toBeLessThanOrEqual(tokens.length + perRun);
    expect(work.read).toBeLessThanOrEqual(perRun);
  });
});

describe("1,000 tokens in one write of a provider", () => {
  test("are parsed, called back and appended as the few reads that they came in", async () => {
    await using provider = await startMockProvider();
    const words = tokens.map((token) => token.replaceAll('"', ""));
    const events = words.map((content) => {
      const choices = [{ index: 0, delta: { content }, finish_reason: null }];
      return `data: ${JSON.stringify({ id: "one", choices })}\n\n`;
    });
    provider.answer({ steps: [Buffer.from(events.join(""))] });
    const model = await createModel({
      model: "openai:gpt-4.1-mini",
      openaiApiKey: "test",
      openaiBaseUrl: provider.baseUrl,
    });
    await using s = await setUp(model);
    const reader = await s.sockets.open();
    const work = await counting(async () => {
      await reader.subscribe("chat.send", newRun());
      await reader.ended;
    });
    expect(readFrames(reader).text).toBe(words.join(""));
    expect(work.appended).toBeLessThanOrEqual(perRun);
    expect(work.read).toBeLessThanOrEqual(perRun);
  });
});

describe("an answer of a megabyte", () => {
  const pieceLength = 128 * 1024;

  test("is never made JSON or bytes as a whole: its end is written, packed and sent piece by piece", async () => {
    const words = Array.from({ length: 1_000 }, (_, index) => `${index} "é"`.padEnd(1_000, "\n"));
    await using s = await setUp(new ScriptedModel(() => ({ tokens: words })));
    const reader = await s.sockets.open();
    const stringify = vi.spyOn(JSON, "stringify");
    const from = vi.spyOn(Buffer, "from");
    const write = vi.spyOn(Socket.prototype, "write");
    const run = vi.spyOn(StatementSync.prototype, "run");
    await reader.subscribe("chat.send", newRun());
    await reader.ended;
    const json = stringify.mock.results.map(({ value }) => value);
    const rows = run.mock.calls.map(([, row]) => row).filter((row) => typeof row === "string");
    const buffers = [...from.mock.results.map(({ value }) => value), ...write.mock.calls.flat()];
    vi.restoreAllMocks();
    expect(readFrames(reader).text).toBe(words.join(""));
    const strings = [...json, ...rows].map((value) => String(value).length);
    expect(Math.max(...strings)).toBeLessThan(pieceLength);
    // A view into a long buffer keeps all of it.
    const bytes = buffers.map((value) => (Buffer.isBuffer(value) ? value.buffer.byteLength : 0));
    expect(Math.max(...bytes)).toBeLessThan(pieceLength);
  });
});

describe("1,000 tokens, each in a turn of its own", () => {
  test("are one event, one row and one frame each, none held back", async () => {
    await using s = await setUp("single");
    const reader = await s.sockets.open();
    const work = await counting(async () => {
      await reader.subscribe("chat.send", newRun());
      await reader.ended;
    });
    const { tokenFrames, text: received } = readFrames(reader);
    expect(received).toBe(text);
    expect(tokenFrames).toBeLessThanOrEqual(tokens.length);
    expect(tokenFrames).toBeGreaterThan(0.9 * tokens.length);
    const rows = s.journalRows();
    expect(rows).toBeLessThanOrEqual(tokens.length + 5);
    expect(work.appended).toBeLessThanOrEqual(tokens.length + perRun);
    expect(work.made).toBeLessThanOrEqual(tokens.length + rows + perRun);
    expect(work.read).toBeLessThanOrEqual(perRun);
  });

  test("are one frame for ten readers, and one write to each", async () => {
    await using s = await setUp("single");
    const readers = 10;
    const sockets = await Promise.all(Array.from({ length: readers }, () => s.sockets.open()));
    const [sender, ...watchers] = sockets;
    if (sender === undefined) throw new Error("no sender");
    const run = newRun();
    await sender.mutate("conversations.create", run);
    for (const watcher of watchers) await watcher.subscribe("chat.watch", run);
    const { writes, tokenFrames } = await countingWrites(async () => {
      await sender.subscribe("chat.send", run);
      await Promise.all(sockets.map(({ ended }) => ended));
    });
    for (const socket of sockets) expect(readFrames(socket).text).toBe(text);
    const deliveries = readers * tokens.length;
    expect(writes).toBeGreaterThan(0.9 * deliveries);
    expect(writes).toBeLessThanOrEqual(deliveries + readers * perRun);
    // Every reader's subscription has the same id, as most first ones have.
    expect(tokenFrames).toBeGreaterThan(0.9 * tokens.length);
    expect(tokenFrames).toBeLessThanOrEqual(tokens.length + readers);
  });

  test("come in a twentieth of the frames to whoever attaches after the end", async () => {
    await using s = await setUp("single");
    const [sender, late] = [await s.sockets.open(), await s.sockets.open()];
    const run = newRun();
    await sender.subscribe("chat.send", run);
    await sender.ended;
    const work = await counting(async () => {
      await late.subscribe("chat.send", run);
      await late.ended;
    });
    const { tokenFrames, text: received } = readFrames(late);
    expect(received).toBe(text);
    expect(tokenFrames).toBeLessThanOrEqual(tokens.length / 20);
    expect(work.appended).toBe(0);
    expect(work.made).toBeLessThanOrEqual(perRun);
    expect(work.read).toBeLessThanOrEqual(perRun);
  });

  test("cost no frame when nobody reads, and are there for whoever comes", async () => {
    await using s = await setUp("single");
    const sender = await s.sockets.open();
    const run = newRun();
    await sender.subscribe("chat.send", run);
    sender.close();
    const live = s.server.langwire.runs.live.get(run.runId);
    const work = await counting(async () => {
      await live?.ended;
    });
    expect(work.made).toBeLessThanOrEqual(tokens.length + s.journalRows() + perRun);
    const late = await s.sockets.open();
    await late.subscribe("chat.send", run);
    await late.ended;
    expect(readFrames(late).text).toBe(text);
  });
});
