import { expect, onTestFinished, test } from "vitest";
import type { ChatEvent } from "../../client/src/index.ts";
import { collect } from "./collect.ts";
import { type Asked, startScriptedServer } from "./scripted-server.ts";
import { gate, hello, setUp } from "./set-up.ts";

const conversationId = "5f942222-bc48-4f44-9804-7017f73f66ae";
const busy = { code: "OVERLOADED", retryable: true } as const;

const start = (runId: string) => ({ type: "runStart", runId, message: "hi" });
const token = (runId: string, text: string, spanId = "s") => ({
  type: "token",
  runId,
  spanId,
  text,
});
const end = (runId: string, text: string) => ({ type: "runEnd", runId, status: "completed", text });

/** The texts of tokens, until a run's end. */
async function readUntilEnds(watch: AsyncIterable<ChatEvent>, ends: number): Promise<string[]> {
  const seen: string[] = [];
  for await (const event of watch) {
    seen.push(event.type === "token" ? event.text : event.type);
    if (event.type === "runEnd" && --ends === 0) break;
  }
  return seen;
}

test("an event that comes twice is told once, within a socket and over two of them", async () => {
  const { client, asked } = await startScriptedServer((one, attempt) => {
    if (attempt === 0) {
      one.event(5, start("r"));
      one.event(6, token("r", "a"));
      one.event(6, token("r", "a"));
      one.cut();
    } else {
      one.event(6, token("r", "a"));
      one.event(7, token("r", "b", "other"));
      one.event(8, end("r", "ab"));
    }
  });
  const seen = await readUntilEnds(client.watch({ conversationId }), 1);
  expect(seen).toEqual(["runStart", "a", "b", "runEnd"]);
  expect(asked[1]?.input.lastEventId).toBe("6");
});

test("a server that lost its last moments numbers new runs from before: they are told whole", async () => {
  const { client } = await startScriptedServer((one, attempt) => {
    if (attempt === 0) {
      one.event(10, start("old"));
      one.event(14, end("old", ""));
      one.cut();
    } else {
      one.event(11, start("new"));
      one.event(12, token("new", "n"));
      one.event(13, end("new", "n"));
    }
  });
  expect(await readUntilEnds(client.watch({ conversationId }), 2)).toEqual([
    "runStart",
    "runEnd",
    "runStart",
    "n",
    "runEnd",
  ]);
});

test("a run that was accepted is not failed by a refusal that passes", async () => {
  const { client, asked } = await startScriptedServer((one, attempt) => {
    if (attempt === 0) {
      one.event(1, start("r"));
      one.cut();
    } else if (attempt < 3) one.refuse(busy);
    else one.event(2, end("r", "done"));
  });
  expect(await client.send(hello).text).toBe("done");
  expect(asked).toHaveLength(4);
});

test("one that was not accepted is, and one that the server will never take again, too", async () => {
  const { client } = await startScriptedServer((one) => one.refuse(busy));
  await expect(client.send(hello).text).rejects.toMatchObject({ code: "OVERLOADED" });
  const gone = await startScriptedServer((one, attempt) => {
    if (attempt === 0) one.event(1, start("r"));
    if (attempt === 0) one.cut();
    else one.refuse({ code: "NOT_FOUND", retryable: false });
  });
  await expect(gone.client.send(hello).text).rejects.toMatchObject({ code: "NOT_FOUND" });
});

test("who is asked to wait waits, and no attempt is made before", async () => {
  const { client, asked } = await startScriptedServer((one, attempt) => {
    if (attempt === 0) one.event(1, start("r"));
    if (attempt === 0) one.refuse({ ...busy, retryAfterMs: 400 });
    else one.event(2, end("r", ""));
  });
  await client.send(hello).ended;
  const [first, second] = asked;
  expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThanOrEqual(400);
});

test("waits are short again after every event: a stream that is often refused goes on", async () => {
  // Unless they are, the last of these waits takes minutes.
  const refusals = 30;
  const { client } = await startScriptedServer((one, attempt) => {
    one.event(attempt * 2, attempt === 0 ? start("r") : token("r", "x"));
    if (attempt < refusals) one.refuse(busy);
    else one.event(attempt * 2 + 1, end("r", "x".repeat(refusals)));
  });
  expect(await client.send(hello).text).toBe("x".repeat(refusals));
});

test("what is too large fails alone, whatever else waits", async () => {
  const { client } = await setUp();
  const first = client.send(hello);
  await first.ended;
  const watch = client.watch({ conversationId: first.conversationId });
  await watch.started;
  const message = "A message is larger than the server takes.";
  const tooLarge = { code: "BAD_INPUT", retryable: false, message };
  const large = client.send({ ...hello, message: "x".repeat(300_000) });
  // Of fewer characters than the next one, and of more bytes.
  const wide = client.send({ ...hello, message: "水".repeat(100_000) });
  const long = client.send({ ...hello, message: "x".repeat(150_000) });
  await expect(large.text).rejects.toMatchObject(tooLarge);
  await expect(wide.text).rejects.toMatchObject(tooLarge);
  await expect(long.text).rejects.toThrow("longer than 32000 characters");
  const { conversationId } = first;
  const rename = client.conversations.rename({ conversationId, title: "x".repeat(300_000) });
  await expect(rename).rejects.toMatchObject(tooLarge);
  // Behind the watch on the socket that replaces the lost one.
  await client.send({ ...hello, conversationId: first.conversationId }).ended;
  expect((await readUntilEnds(watch, 1)).at(-1)).toBe("runEnd");
});

test("what is not too large by itself comes back, however much it is together", async () => {
  const { client, provider, proxy } = await setUp();
  const middle = gate();
  const runs = Array.from({ length: 10 }, () => {
    provider.answer({ steps: ["so far", { until: middle.passed }, " so good"] });
    return client.send({ ...hello, message: "x".repeat(30_000) });
  });
  for (const run of runs) for await (const { type } of run) if (type === "token") break;
  proxy.cut();
  await proxy.connected();
  middle.open();
  const texts = await Promise.all(runs.map(({ text }) => text));
  expect(new Set(texts)).toEqual(new Set(["so far so good"]));
});

test("an unread watch takes a bounded number of events, and the rest when it is read", async () => {
  const count = 5_000;
  const feed = (one: Asked) => {
    const from = Number(one.input.lastEventId ?? -1) + 1;
    // Of different spans, so that they cannot be joined.
    for (let seq = from; seq < count; seq++) one.event(seq, token("r", String(seq), String(seq)));
    one.event(count, end("r", ""));
  };
  const { client, asked, stops } = await startScriptedServer(feed);
  const watch = client.watch({ conversationId });
  await watch.started;
  await expect.poll(() => stops.length).toBe(1);
  expect(asked).toHaveLength(1);
  const seen = await readUntilEnds(watch, 1);
  expect(seen.slice(0, -1)).toEqual(Array.from({ length: count }, (_, seq) => String(seq)));
  // Behind the last one that was taken, and not again for each.
  expect(asked[1]?.input.lastEventId).toBe("1000");
});

test("a subscription that the server ended is asked for again", async () => {
  const { client } = await startScriptedServer((one, attempt) => {
    if (attempt === 0) one.event(1, start("r"));
    if (attempt === 0) one.stopped();
    else one.event(2, end("r", "after all"));
  });
  expect((await collect(client.send(hello))).map(({ type }) => type)).toEqual([
    "runStart",
    "runEnd",
  ]);
});

test("frames that are no messages end neither the run nor the program", async () => {
  const frames = [
    "",
    "<html>",
    "null",
    "[]",
    "1",
    '"x"',
    "{}",
    '{"id":null}',
    '{"id":null,"result":{}}',
  ];
  const results = [
    null,
    1,
    [],
    {},
    { data: 3 },
    { type: "data", data: null },
    { type: "", data: 3 },
  ];
  const errors = [null, 1, {}, { json: null }, { json: {} }, { json: { code: "x" } }];
  const { client, asked } = await startScriptedServer((one) => {
    for (const frame of frames) one.raw(frame);
    for (const id of [null, 1, 2, 3, 77]) {
      for (const result of results) one.raw(JSON.stringify({ id, result }));
      for (const error of errors) one.raw(JSON.stringify({ id, error }));
    }
    one.event(1, start("r"));
    one.event(2, end("r", "done"));
  });
  const uncaught: unknown[] = [];
  const note = (error: unknown) => uncaught.push(error);
  process.on("uncaughtException", note);
  onTestFinished(() => void process.off("uncaughtException", note));
  // The second one's answer comes later than whatever the first one's frames have thrown.
  for (let times = 1; times <= 2; times++) {
    expect(await client.send(hello).text).toBe("done");
    expect(asked).toHaveLength(times);
  }
  expect(uncaught).toEqual([]);
});
