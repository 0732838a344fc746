/** What a client says over HTTP and server-sent events, and what it shows of its streams: without a network. */
import { describe, expect, test, vi } from "vitest";
import { Connection } from "../../client/src/connection/connection.ts";
import { type ClientOptions, createClient, LangwireClientError } from "../../client/src/index.ts";
import { serverSentEvents } from "../../client/src/sse.ts";
import { now, wait } from "./scripted-link.ts";
import { scriptedPage, scriptedTime } from "./scripted-time.ts";

type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** An answer that never comes. */
const silence: Fetch = (_url, { signal }) => {
  const { promise, reject } = Promise.withResolvers<Response>();
  signal?.addEventListener("abort", () => reject(signal.reason));
  return promise;
};

/** The platform's fetch and EventSource: a test answers the one, and fails the other. */
function platform(fetch: Fetch = silence) {
  scriptedTime();
  const page = scriptedPage();
  const asked = vi.fn(fetch);
  vi.stubGlobal("fetch", asked);
  const streams: Platform[] = [];
  class Platform {
    readonly CLOSED = 2;
    readyState = 0;
    readonly url: URL;
    readonly init: unknown;

    constructor(url: string, init: unknown) {
      this.url = new URL(url);
      this.init = init;
      streams.push(this);
    }

    readonly #onError: ((event: { type: "error" }) => void)[] = [];

    addEventListener(type: string, listener: (event: { type: "error" }) => void): void {
      if (type === "error") this.#onError.push(listener);
    }

    close(): void {
      this.readyState = this.CLOSED;
    }

    /** As where it is refused. */
    fails(): void {
      this.close();
      for (const listener of this.#onError) listener({ type: "error" });
    }
  }
  const wake = () => page.dispatchEvent(new Event("online"));
  return { EventSource: Platform as never, asked, streams, wake };
}

const url = "http://host/trpc";
const answer = (json: unknown, status = 200) =>
  Response.json([{ result: { data: { json } } }], { status });

describe("who is calling", () => {
  const own = { "x-own": "1" };
  test.each<[string, Partial<ClientOptions>, Record<string, string>, unknown]>([
    ["nobody says", {}, {}, undefined],
    ["a name", { userId: "ann" }, { "x-user-id": "ann" }, { userId: "ann" }],
    ["a token", { token: "t" }, { authorization: "Bearer t" }, { token: "t" }],
    [
      "a token to be asked for",
      { token: async () => "t" },
      { authorization: "Bearer t" },
      { token: "t" },
    ],
    ["headers", { headers: own }, own, undefined],
    ["headers to be asked for", { headers: async () => own }, own, undefined],
    [
      "all of them",
      { token: "t", headers: () => own },
      { authorization: "Bearer t", ...own },
      { token: "t" },
    ],
  ])("is said by %s, in questions and in streams alike", async (_by, options, headers, params) => {
    const { EventSource, asked, streams } = platform(async () => answer([]));
    await using client = createClient({
      url,
      transport: serverSentEvents,
      EventSource,
      ...options,
    });
    expect(await now(client.bots.list())).toEqual([]);
    const { "content-type": _, ...said } = {
      ...Object.fromEntries(new Headers(asked.mock.calls[0]?.[1]?.headers)),
    };
    expect(said).toEqual(headers);
    client.watch({ conversationId: crypto.randomUUID() }).started.catch(() => {});
    await wait(0);
    const [stream] = streams;
    expect(
      JSON.parse(stream?.url.searchParams.get("connectionParams") ?? "null") ?? undefined,
    ).toEqual(params);
    // The package `eventsource` makes its requests by this.
    const { fetch } = (stream?.init ?? {}) as { fetch?: Fetch };
    if (options.headers !== undefined) {
      await fetch?.(url, { headers: { accept: "text/event-stream" } });
      expect(Object.fromEntries(new Headers(asked.mock.calls.at(-1)?.[1]?.headers))).toEqual({
        accept: "text/event-stream",
        ...own,
      });
    } else expect(fetch).toBeUndefined();
  });
});

test("of several streams one that works shows that the server is there, else what one was lost for", () => {
  const { EventSource } = platform();
  const connection = new Connection();
  const transport = serverSentEvents({ url, EventSource }, connection);
  const [a, b] = [{}, {}];
  const lost = new LangwireClientError({ code: "UNREACHABLE", message: "Away." });
  const said: string[] = [];
  const is = (stream: object, state?: string, error: unknown = null) => {
    transport.subscriptionState?.(stream, state === undefined ? undefined : { state, error });
    said.push(`${connection.state} ${connection.error?.code ?? ""}`.trim());
  };
  is(a, "connecting");
  is(b, "connecting", lost);
  is(a, "pending");
  is(b, "connecting", lost);
  is(a, undefined);
  is(b, "connecting");
  is(b, undefined);
  const away = "connecting UNREACHABLE";
  expect(said).toEqual(["connecting", away, "open", "open", away, "connecting", "idle"]);
});

describe("a stream that was refused", () => {
  const long = "x".repeat(5_000);
  test.each<[string, string, number, number, string | undefined]>([
    ["for nothing that the server says", "hi", 200, 414, undefined],
    ["with a long address, for that", long, 200, 414, "BAD_INPUT"],
    ["with long headers, for that", long, 200, 431, "BAD_INPUT"],
    ["with a long address, for something else", long, 200, 500, undefined],
    ["for what every question is refused for", long, 404, 414, "NOT_FOUND"],
  ])("%s", async (_for, message, ofQuestions, ofStream, code) => {
    const isQuestion = (asked: string) => asked.endsWith("/bots.list");
    const { EventSource, streams } = platform(
      async (asked) => new Response("", { status: isQuestion(asked) ? ofQuestions : ofStream }),
    );
    await using client = createClient({ url, transport: serverSentEvents, EventSource });
    const run = client.send({ botId: "b", message });
    await wait(0);
    streams[0]?.fails();
    await wait(0);
    const ended = await now(run.ended);
    expect(ended === "waits" ? undefined : (ended as LangwireClientError).code).toBe(code);
  });
});

test("a stream that does not open is told with its address from the first attempt on", async () => {
  const { EventSource, streams } = platform(() => Promise.reject(new TypeError("fetch failed")));
  await using client = createClient({ url, transport: serverSentEvents, EventSource });
  const notices: string[] = [];
  client.connection.subscribe(({ error }) => error && notices.push(error.message));
  client.watch({ conversationId: crypto.randomUUID() }).started.catch(() => {});
  await wait(0);
  streams[0]?.fails();
  await wait(0);
  const told = `The server cannot be reached at ${new URL(url).origin}.`;
  expect(notices.length).toBeGreaterThan(0);
  expect(notices.filter((notice) => notice !== told)).toEqual([]);
});

test("a page that is back asks again what was silent, and opens its streams anew", async () => {
  // A client that asks why a stream was closed is told of nothing.
  const { EventSource, asked, streams, wake } = platform(async (...question) =>
    question[0].endsWith("/bots.list") ? answer([]) : await silence(...question),
  );
  await using client = createClient({
    ...{ url, transport: serverSentEvents, EventSource },
    backoff: { baseMs: 100, maxMs: 1_000 },
  });
  client.bots.list().catch(() => {});
  client.watch({ conversationId: crypto.randomUUID() }).started.catch(() => {});
  await wait(6_000);
  expect([asked.mock.calls.length, streams.length]).toEqual([1, 1]);
  wake();
  await wait(100);
  expect(streams.map(({ readyState }) => readyState)).toEqual([2, 0]);
  expect(asked.mock.calls.filter(([url]) => url.includes("/bots.list?batch"))).toHaveLength(2);
});

test("closing ends what was asked, and leaves nothing", async () => {
  const { EventSource, asked, streams } = platform();
  const client = createClient({ url, transport: serverSentEvents, EventSource });
  const calls = [client.bots.list(), client.conversations.join({ conversationId: "c" })];
  const watch = client.watch({ conversationId: crypto.randomUUID() });
  await wait(0);
  expect(asked).toHaveBeenCalled();
  await client.close();
  const closed = expect.objectContaining({ code: "CLOSED" });
  expect(await Promise.all([...calls, watch.started].map(now))).toEqual([closed, closed, closed]);
  await wait(0);
  for (const [, { signal }] of asked.mock.calls) expect(signal?.aborted).toBe(true);
  expect(streams.map(({ readyState }) => readyState)).toEqual([2]);
  expect(vi.getTimerCount()).toBe(0);
});
