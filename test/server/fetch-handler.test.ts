/** `createFetchHandler` behind a server that is not ours, with the real client over server-sent events. */
import { randomUUID } from "node:crypto";
import { getEventListeners, once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import type { ReadableStream as NodeReadableStream } from "node:stream/web";
import { setImmediate } from "node:timers/promises";
import { EventSource } from "eventsource";
import { expect, onTestFinished, test, vi } from "vitest";
import { type ClientOptions, createClient, type LangwireClient } from "../../client/src/index.ts";
import { serverSentEvents } from "../../client/src/sse.ts";
import {
  chatBot,
  createFetchHandler,
  type FetchHandlerOptions,
  type Langwire,
  LangwireError,
  openLangwire,
} from "../../src/index.ts";
import { LogEntry } from "../../src/log/entry.ts";
import { FetchEventStream } from "../../src/server/fetch/fetch-event-stream.ts";
import { type ScriptedReply, scriptedModel } from "../../src/testing/index.ts";
import { gate } from "../react/setting.ts";

interface Mounted {
  readonly url: string;
  readonly langwire: Langwire;
  /** Every event stream, so that a test can cut one. */
  readonly streams: { readonly body: Readable; readonly sent: () => string }[];
  connect(options?: Partial<ClientOptions>): LangwireClient;
}

/** The handler as another server calls it, at a path of its own. */
async function mountHandler(
  script: readonly ScriptedReply[],
  options: Omit<FetchHandlerOptions, "langwire"> = {},
): Promise<Mounted> {
  const stack = new AsyncDisposableStack();
  onTestFinished(() => stack.disposeAsync());
  const langwire = await openLangwire({ bots: [chatBot({ model: scriptedModel(script) })] });
  stack.use(langwire);
  const handle = createFetchHandler({ langwire, ...options });
  const streams: Mounted["streams"] = [];
  const server = createServer(async (incoming, outgoing) => {
    const { method = "GET", url = "", headers } = incoming;
    const left = new AbortController();
    outgoing.once("close", () => left.abort());
    const body = method === "POST" ? { body: Readable.toWeb(incoming), duplex: "half" } : {};
    const init = { method, headers: headers as Record<string, string>, signal: left.signal };
    const request = new Request(`http://${headers.host}${url}`, {
      ...init,
      ...body,
    } as RequestInit);
    const response = await handle(request);
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    if (response.body === null) return outgoing.end();
    const sent = Readable.fromWeb(response.body as NodeReadableStream<Uint8Array>);
    let text = "";
    sent.on("data", (chunk: Uint8Array) => {
      text += Buffer.from(chunk).toString("utf8");
    });
    sent.on("error", () => outgoing.destroy()).pipe(outgoing);
    if (response.headers.get("content-type") !== "text/event-stream") return;
    streams.push({ body: sent, sent: () => text });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  stack.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/langwire`;
  const connect = (more: Partial<ClientOptions> = {}) =>
    stack.use(
      createClient({
        ...{ url, transport: serverSentEvents, EventSource, backoff: { baseMs: 20, maxMs: 100 } },
        ...more,
      }),
    );
  return { url, langwire, streams, connect };
}

const sendUrl = ({ url }: Mounted): string => {
  const json = { runId: randomUUID(), conversationId: randomUUID(), botId: "chat", message: "Hi" };
  return `${url}/chat.send?input=${encodeURIComponent(JSON.stringify({ json }))}`;
};

const codeIn = async (response: Response): Promise<unknown> =>
  ((await response.json()) as { error: { json: { data: { langwire: { code: string } } } } }).error
    .json.data.langwire.code;

/** A browser's own headers, which a `Request` takes from nobody else. */
function requestWith(url: string, headers: Record<string, string>): Request {
  const request = new Request(url);
  for (const [name, value] of Object.entries(headers)) request.headers.set(name, value);
  return request;
}

test("a message is sent, answered and kept", async () => {
  const mounted = await mountHandler([{ tokens: ["It ", "fizzes."] }]);
  const client = mounted.connect();
  const run = client.send({ botId: "chat", message: "Soda?" });
  expect(await run.text).toBe("It fizzes.");
  const { conversationId } = run;
  const { items } = await client.conversations.messages({ conversationId });
  expect(items.map(({ text }) => text)).toEqual(["Soda?", "It fizzes."]);
});

test("a connection that breaks in mid-answer is resumed behind the last event", async () => {
  const { passed, open: finish } = gate();
  const mounted = await mountHandler([{ tokens: ["It ", "fizzes."], until: passed }]);
  const run = mounted.connect().send({ botId: "chat", message: "Soda?" });
  const tokens: string[] = [];
  for await (const event of run) {
    if (event.type !== "token") continue;
    tokens.push(event.text);
    if (!event.text.endsWith("fizzes.")) continue;
    const [stream] = mounted.streams;
    stream?.body.destroy(new Error("cut"));
    finish();
  }
  expect(tokens.join("")).toBe("It fizzes.");
  const [first, second] = mounted.streams;
  expect(first?.sent()).toContain("fizzes.");
  expect(second?.sent()).toContain("runEnd");
  expect(second?.sent()).not.toContain('"token"');
});

test("a page from elsewhere gets nothing, and starts nothing", async () => {
  const mounted = await mountHandler([{ tokens: ["No"] }]);
  const headers = { origin: "https://elsewhere.example", accept: "text/event-stream" };
  for (const address of [sendUrl(mounted), `${mounted.url}/bots.list`]) {
    const response = await fetch(address, { headers });
    expect([response.status, await codeIn(response)]).toEqual([403, "UNAUTHORIZED"]);
  }
  const own = { origin: new URL(mounted.url).origin };
  expect((await fetch(`${mounted.url}/bots.list`, { headers: own })).status).toBe(200);
  const { items } = await mounted.connect().conversations.list();
  expect(items).toEqual([]);
});

test("an image, or an address that is opened, starts no run", async () => {
  const mounted = await mountHandler([{ tokens: ["No"] }]);
  const handle = createFetchHandler({ langwire: mounted.langwire });
  const navigation = { "sec-fetch-mode": "navigate", accept: "text/event-stream" };
  for (const headers of [{ accept: "image/*" }, navigation]) {
    const response = await handle(requestWith(sendUrl(mounted), headers));
    expect([response.status, await codeIn(response)]).toEqual([400, "BAD_INPUT"]);
  }
  expect((await mounted.connect().conversations.list()).items).toEqual([]);
});

test("a path that is encoded is the same path", async () => {
  const mounted = await mountHandler([{ tokens: ["No"] }]);
  const handle = createFetchHandler({ langwire: mounted.langwire });
  const encoded = sendUrl(mounted).replace("chat.send", "chat%2Esend");
  const asked = [encoded, `${encoded.replace("send?", "send,bots.list?")}&batch=1`];
  for (const url of [...asked, encoded.replace("%2E", "%E0%A4%A")]) {
    const response = await handle(requestWith(url, { accept: "text/html" }));
    expect([response.status, await codeIn(response)]).toEqual([400, "BAD_INPUT"]);
  }
  expect((await mounted.connect().conversations.list()).items).toEqual([]);
});

test("the answers of one request together are bounded, as the server's own are", async () => {
  const mounted = await mountHandler([{ tokens: ["long ".repeat(60_000)] }]);
  const run = mounted.connect().send({ botId: "chat", message: "Soda?" });
  await run.text;
  const calls = 40;
  const path = Array.from({ length: calls }, () => "conversations.messages").join(",");
  const { conversationId } = run;
  const inputs = Object.fromEntries(
    Array.from({ length: calls }, (_, index) => [index, { json: { conversationId } }]),
  );
  const query = `batch=1&input=${encodeURIComponent(JSON.stringify(inputs))}`;
  const response = await fetch(`${mounted.url}/${path}?${query}`);
  const text = await response.text();
  expect(text.length).toBeLessThan(6 * 1024 * 1024);
  expect(text).toContain("RATE_LIMITED");
});

test("a subscription that fails is logged as other calls are", async () => {
  const mounted = await mountHandler([{ tokens: ["No"] }], {
    authenticate: () => ({ userId: "ann" }),
  });
  const logged: object[] = [];
  const log = (fields: object) => void logged.push(fields);
  const logger = { info: log, warn: log, error: log };
  mounted.langwire.defaultLog?.use(logger, { quotes: false });
  vi.spyOn(mounted.langwire.store.runs, "claim").mockRejectedValue(new Error("no such claim"));
  const run = mounted.connect().send({ botId: "chat", message: "Soda?" });
  await expect(run.text).rejects.toMatchObject({ code: "INTERNAL" });
  expect(logged).toContainEqual(
    expect.objectContaining({ code: "INTERNAL", path: "chat.send", type: "subscription" }),
  );
});

test("without authentication, other names than this machine's are not answered", async () => {
  const langwire = await openLangwire({ bots: [chatBot({ model: scriptedModel([]) })] });
  onTestFinished(() => langwire[Symbol.asyncDispose]());
  const request = () => new Request("https://chat.example.com/api/bots.list");
  expect((await createFetchHandler({ langwire })(request())).status).toBe(403);
  expect((await createFetchHandler({ langwire, allowAnonymous: true })(request())).status).toBe(
    200,
  );
});

test("what is no JSON, too long or too much to parse is refused before it is read", async () => {
  const mounted = await mountHandler([]);
  const post = (body: string, type = "application/json") =>
    fetch(`${mounted.url}/conversations.create`, {
      ...{ method: "POST", body, headers: { "content-type": type } },
    });
  expect((await post("a=1", "application/x-www-form-urlencoded")).status).toBe(415);
  expect((await post(JSON.stringify({ json: "x".repeat(300_000) }))).status).toBe(413);
  expect((await post("--x--", "multipart/form-data; boundary=x")).status).toBe(415);
  const deep = await post("[".repeat(50) + "]".repeat(50));
  expect([deep.status, await deep.text()]).toEqual([
    400,
    expect.stringContaining("too many values"),
  ]);
  const wide = await post(`[${"0,".repeat(20_000)}0]`);
  expect([wide.status, await wide.text()]).toEqual([
    400,
    expect.stringContaining("too many values"),
  ]);
});

test("a stream ends with the caller's session, and the next one is refused", async () => {
  const { passed, open: finish } = gate();
  onTestFinished(finish);
  let isOver = false;
  const mounted = await mountHandler([{ tokens: ["It "], until: passed }], {
    authenticate: () => {
      if (isOver) throw new LangwireError("UNAUTHORIZED");
      isOver = true;
      return { userId: "ann", expiresAtMs: Date.now() + 100 };
    },
  });
  const run = mounted.connect().send({ botId: "chat", message: "Soda?" });
  await expect(run.text).rejects.toMatchObject({ code: "UNAUTHORIZED" });
});

test("a reader that takes nothing holds up nobody, and gets all of it later", async () => {
  const text = "x".repeat(1_000);
  const mounted = await mountHandler([{ tokens: Array.from({ length: 500 }, () => text) }]);
  const handle = createFetchHandler({ langwire: mounted.langwire });
  const url = sendUrl(mounted);
  const { body } = await handle(requestWith(url, { accept: "text/event-stream" }));
  const reader = (body ?? new ReadableStream<Uint8Array>()).getReader();
  let received = Buffer.from((await reader.read()).value ?? []).toString("utf8");
  expect(received).toContain("event: connected");
  const { runId } = JSON.parse(new URL(url).searchParams.get("input") ?? "").json;
  await mounted.connect().follow({ runId }).ended;
  for (let at = await reader.read(); !at.done; at = await reader.read()) {
    received += Buffer.from(at.value).toString("utf8");
  }
  expect(received).toContain("event: return");
  // The answer is in its tokens, and whole at its end.
  expect(received.split(text).length - 1).toBeGreaterThanOrEqual(1_000);
});

test("no more is taken for a reader than its stream may hold", async () => {
  const limits = { pingMs: 60_000, maxBacklogBytes: 1_000, slowReaderMs: 60_000 };
  const stream = new FetchEventStream(limits);
  const event = JSON.stringify({ type: "text", text: "x".repeat(100) });
  const entries = Array.from({ length: 100 }, (_, seq) => LogEntry.parse(seq, event));
  let taken = 0;
  const events = {
    position: 0,
    deliver: async (take: (entry: LogEntry) => void) => {
      for (const entry of entries) {
        await stream.ready();
        take(entry);
        taken += 1;
      }
    },
  };
  const delivered = stream.deliver(events);
  await setImmediate();
  expect(taken).toBeLessThan(15);
  const all = await new Response(stream.body).text();
  await delivered;
  expect(all.match(/^id: 99$/m)).not.toBeNull();
});

test("its streams end with Langwire, so that the server around it can close", async () => {
  const { passed, open: finish } = gate();
  onTestFinished(finish);
  const mounted = await mountHandler([{ tokens: ["It "], until: passed }]);
  const handle = createFetchHandler({ langwire: mounted.langwire });
  const headers = { accept: "text/event-stream" };
  const { body } = await handle(requestWith(sendUrl(mounted), headers));
  const reader = (body ?? new ReadableStream<Uint8Array>()).getReader();
  await reader.read();
  const disposed = mounted.langwire[Symbol.asyncDispose]();
  let received = "";
  for (let at = await reader.read(); !at.done; at = await reader.read()) {
    received += Buffer.from(at.value).toString("utf8");
  }
  await disposed;
  expect(received).toContain("SERVER_RESTARTED");
});

test("a user may have so many streams open, and another one once one is over", async () => {
  const mounted = await mountHandler([]);
  const client = mounted.connect();
  const { conversationId } = await client.conversations.create({ botId: "chat" });
  const handle = createFetchHandler({ langwire: mounted.langwire });
  const input = encodeURIComponent(JSON.stringify({ json: { conversationId } }));
  const watch = async () => {
    const url = `${mounted.url}/chat.watch?input=${input}`;
    const { body } = await handle(requestWith(url, { accept: "text/event-stream" }));
    const reader = (body ?? new ReadableStream<Uint8Array>()).getReader();
    const begun = Buffer.from((await reader.read()).value ?? []).toString("utf8");
    return { reader, begun };
  };
  const open = await Promise.all(Array.from({ length: 100 }, watch));
  expect(open.filter(({ begun }) => begun.includes("event: connected"))).toHaveLength(100);
  expect((await watch()).begun).toContain("RATE_LIMITED");
  await open[0]?.reader.cancel();
  expect((await watch()).begun).toContain("event: connected");
  await Promise.all(open.map(({ reader }) => reader.cancel()));
});

test("readers that leave while they are looked up take no place", async () => {
  const { passed, open: answer } = gate();
  const mounted = await mountHandler([]);
  const authenticate = () => passed.then(() => ({ userId: "ann" }));
  const handle = createFetchHandler({ langwire: mounted.langwire, authenticate });
  const url = `${mounted.url}/chat.watch?input=${encodeURIComponent('{"json":{}}')}`;
  const watch = async (signal?: AbortSignal) => {
    const asked = new Request(url, signal && { signal });
    asked.headers.set("accept", "text/event-stream");
    return (await handle(asked)).body ?? new ReadableStream<Uint8Array>();
  };
  const gone = AbortSignal.abort();
  for (let at = 0; at < 110; at += 1) await (await watch()).cancel();
  for (let at = 0; at < 110; at += 1) await watch(gone);
  answer();
  // No conversation is named: that is what is said, and not that there are too many.
  expect(await new Response(await watch()).text()).toContain("BAD_INPUT");
});

test("a user's requests, one after another, have as many slots as there are, each time", async () => {
  const mounted = await mountHandler([]);
  const statuses: number[] = [];
  for (let count = 0; count < 40; count++) {
    statuses.push((await fetch(`${mounted.url}/bots.list`)).status);
  }
  expect(statuses).toEqual(Array.from({ length: 40 }, () => 200));
});

test("a stream that is over listens to its request no more", async () => {
  const mounted = await mountHandler([]);
  const handle = createFetchHandler({ langwire: mounted.langwire });
  const asked = requestWith(
    `${mounted.url}/chat.watch?input=${encodeURIComponent('{"json":{}}')}`,
    {
      accept: "text/event-stream",
    },
  );
  const before = getEventListeners(asked.signal, "abort").length;
  expect(await new Response((await handle(asked)).body).text()).toContain("BAD_INPUT");
  await setImmediate();
  expect(getEventListeners(asked.signal, "abort")).toHaveLength(before);
});

test("a process that is cut off from the others takes no calls", async () => {
  const mounted = await mountHandler([]);
  const cutOff = { cutOff: true } as NonNullable<Langwire["cluster"]>;
  const handle = createFetchHandler({ langwire: { ...mounted.langwire, cluster: cutOff } });
  const response = await handle(new Request(`${mounted.url}/bots.list`));
  expect([response.status, await codeIn(response)]).toEqual([503, "STORE_UNAVAILABLE"]);
});

const nothing = { position: 0, deliver: () => new Promise<void>(() => {}) };

test("a stream without events pings, and ends so that its reader shows that it is there", async () => {
  const stream = new FetchEventStream({ pingMs: 1, maxBacklogBytes: 1_000, slowReaderMs: 60_000 });
  void stream.deliver(nothing);
  const text = await new Response(stream.body).text();
  expect(text.split("event: ping").length - 1).toBe(4);
});

test("a stream is given up whose reader takes nothing", async () => {
  const stream = new FetchEventStream({ pingMs: 1, maxBacklogBytes: 10, slowReaderMs: 5 });
  void stream.deliver(nothing);
  await once(stream.signal, "abort");
});
