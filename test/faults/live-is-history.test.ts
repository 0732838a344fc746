/**
 * What a reader saw live, what it reads of the run later, and what the history has after a restart are one
 * value: for runs of any shape, through a real server and a file of SQLite.
 */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ChatEvent } from "../../src/protocol/events.ts";
import { RunFold } from "../../src/protocol/fold/run-fold.ts";
import {
  startTestServer,
  type TestServer,
  type TestServerOptions,
} from "../../src/testing/index.ts";
import { read, type StockClient, wsClient } from "../support/stock-client.ts";
import { forSchedules, sized } from "./form.ts";
import { cancelMe, randomBot, type Script, scripts } from "./random-run.ts";

let dataDir: string;
let server: TestServer;
let client: StockClient;
/** What was seen live, by the run. */
const seen = new Map<string, { conversationId: string; live: RunFold }>();

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "live-is-history-"));
  await open();
});
afterAll(async () => {
  await close();
  await rm(dataDir, { recursive: true });
});

/** @param logBounds how long the log has what has ended: from then on it is read from its archive */
async function open(logBounds?: TestServerOptions["logBounds"]): Promise<void> {
  server = await startTestServer({ bots: [randomBot], dataDir, ...(logBounds && { logBounds }) });
  client = wsClient(server.url);
}

async function close(): Promise<void> {
  client[Symbol.dispose]();
  await server[Symbol.asyncDispose]();
}

function folded(events: readonly { readonly event: ChatEvent }[]): RunFold {
  const fold = new RunFold();
  for (const { event } of events) fold.add(event);
  return fold;
}

async function live(script: Script): Promise<string> {
  const [runId, conversationId] = [randomUUID(), randomUUID()];
  const message = JSON.stringify(script);
  const reading = read((options) =>
    client.api.chat.send.subscribe({ runId, conversationId, botId: "random", message }, options),
  );
  if (script.end === "cancelled") {
    await reading.until((event) => event.type === "custom" && event.name === cancelMe);
    await client.api.chat.cancel.mutate({ runId });
  }
  seen.set(runId, { conversationId, live: folded(await reading.completed) });
  return runId;
}

/** Everything that can be read later of a run is what was seen live. */
async function expectKept(runId: string): Promise<void> {
  const { conversationId, live: fold } = seen.get(runId) ?? expect.fail("not seen");
  const following = read((options) => client.api.chat.follow.subscribe({ runId }, options));
  const later = folded(await following.completed);
  expect(later.parts).toStrictEqual(fold.parts);
  expect(later.spans).toStrictEqual(fold.spans);
  expect(later.state).toStrictEqual(fold.state);
  expect(later.end).toStrictEqual(fold.end);
  const { items } = await client.api.conversations.messages.query({ conversationId });
  const { status, text, usage, error, output } = fold.end ?? expect.fail("it has not ended");
  expect(items).toHaveLength(2);
  expect(items[1]).toMatchObject({ runId, role: "ai", text, status });
  expect(items[1]?.parts).toStrictEqual(fold.parts);
  expect(items[1]).toEqual({ ...items[1], usage, error, output });
}

/** One that has every kind of part, whatever the random ones have. */
const rich: Script = {
  acts: [
    {
      act: "model",
      pieces: [
        { thought: "Hm." },
        { text: "a" },
        { call: "1", name: true, args: "{}" },
        { source: "https://a.example" },
      ],
      fallback: null,
    },
    { act: "tool", callId: "1", says: ["Half", "way"], artifact: true, fails: false },
    { act: "search", found: ["https://b.example"] },
    { act: "state", value: 1 },
  ],
  end: "other",
};

test("what was seen of a run is what is read of it later, and after a restart", async () => {
  const runId = await live(rich);
  await expectKept(runId);
  const kinds = new Set(seen.get(runId)?.live.parts.map(({ type }) => type));
  expect([...kinds].sort()).toEqual(["data", "file", "reasoning", "source", "text", "tool"]);
  await forSchedules(scripts, sized({ short: 20, full: 800 }), async (script) => {
    await expectKept(await live(script));
  });
  for (const logBounds of [undefined, { retentionMs: 1, archivedMs: 1 }]) {
    await close();
    await open(logBounds);
    for (const runId of seen.keys()) await expectKept(runId);
  }
  // The last time all of it came from the archive.
  const { conversationId } = seen.get(runId) ?? expect.fail("not seen");
  expect((await server.langwire.log.read(conversationId, 0)).entries).toEqual([]);
}, 300_000);
