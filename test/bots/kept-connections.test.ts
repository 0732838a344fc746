/** Connections to a provider that are kept between two answers: a new one costs two round trips over TLS. */
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { createEventFetch, type EventFetch } from "../../src/event-fetch/event-fetch.ts";
import { testCertificate, trustTestCertificate } from "../support/test-certificate.ts";
import { eventStream } from "./event-fetch-server.ts";

beforeAll(trustTestCertificate);

interface SetUpOptions {
  /** What its Keep-Alive header says. Default: it has none. */
  readonly keepAliveS?: number;
  /** @param nth the request's number on its connection, from 1 */
  readonly respond?: (request: IncomingMessage, response: ServerResponse, nth: number) => void;
}

const answer = (response: ServerResponse) => {
  response.writeHead(200, eventStream).end("data: hello\n\n");
};

async function setUp({ keepAliveS, respond }: SetUpOptions = {}) {
  const requests = new Map<Socket, number>();
  let handshakes = 0;
  let asked = 0;
  const server = createServer(testCertificate, (request, response) => {
    asked += 1;
    const nth = (requests.get(request.socket) ?? 0) + 1;
    requests.set(request.socket, nth);
    if (keepAliveS !== undefined) response.setHeader("keep-alive", `timeout=${keepAliveS}`);
    if (respond === undefined) answer(response);
    else respond(request, response, nth);
  });
  // It keeps them itself for as long as a test takes, and says nothing of it.
  server.keepAliveTimeout = 0;
  server.on("secureConnection", () => {
    handshakes += 1;
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  let told = 0;
  const eventFetch: EventFetch = createEventFetch({ onRequest: () => void told++ });
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await eventFetch.close();
  });
  const { port } = server.address() as AddressInfo;
  const send = async (signal?: AbortSignal) => {
    const init = {
      method: "POST",
      body: JSON.stringify({ stream: true }),
      ...(signal && { signal }),
    };
    const response = await eventFetch(`https://localhost:${port}/v1`, init);
    const text = await response.text();
    // The connection is free for the next request when its answer has been worked off.
    await nextTurn();
    return text;
  };
  return {
    send,
    counts: () => ({ handshakes, asked }),
    told: () => told,
  };
}

describe("an idle connection", () => {
  /** The clock of the timers alone: what comes over the network takes its own time. */
  function ownTimers() {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
  }

  test.each<[string, number | undefined, { readonly keptS: number; readonly closedS: number }]>([
    [
      "for most of a minute, where the provider says nothing",
      undefined,
      { keptS: 50, closedS: 60 },
    ],
    ["for as long as the provider says", 300, { keptS: 290, closedS: 301 }],
    ["for no longer than the provider says", 5, { keptS: 2, closedS: 6 }],
  ])("is kept %s", async (_howLong, keepAliveS, { keptS, closedS }) => {
    ownTimers();
    const { send, counts } = await setUp(keepAliveS === undefined ? {} : { keepAliveS });
    expect(await send()).toBe("data: hello\n\n");
    await vi.advanceTimersByTimeAsync(keptS * 1_000);
    await send();
    expect(counts()).toEqual({ handshakes: 1, asked: 2 });
    await vi.advanceTimersByTimeAsync(closedS * 1_000);
    await send();
    expect(counts()).toEqual({ handshakes: 2, asked: 3 });
  });
});

describe("a connection that the provider closes", () => {
  test("as the next request comes fails nothing: that goes out again on a new one", async () => {
    const { send, counts, told } = await setUp({
      respond: ({ socket }, response, nth) => {
        if (nth > 1) socket.destroy();
        else answer(response);
      },
    });
    await send();
    expect(await send()).toBe("data: hello\n\n");
    expect(counts()).toEqual({ handshakes: 2, asked: 3 });
    // What an answer has cost is known by its requests.
    expect(told()).toBe(3);
  });

  test("as its caller gives up gets nothing more of that request", async () => {
    const stopping = new AbortController();
    const { send, counts } = await setUp({
      respond: ({ socket }, response, nth) => {
        if (nth === 1) return answer(response);
        stopping.abort(new Error("stopped"));
        socket.destroy();
      },
    });
    await send();
    await expect(send(stopping.signal)).rejects.toThrow("stopped");
    await send();
    expect(counts().asked).toBe(3);
  });

  test("of several that are all closed, none fails a request", async () => {
    const { send, counts } = await setUp({
      respond: ({ socket }, response, nth) => {
        if (nth > 1) socket.destroy();
        else answer(response);
      },
    });
    await Promise.all([send(), send(), send()]);
    const { handshakes } = counts();
    expect(await Promise.all([send(), send(), send()])).toHaveLength(3);
    expect(counts().handshakes).toBeGreaterThan(handshakes);
  });

  test("while it is new may have begun with the request, which is not sent twice", async () => {
    const { send, counts } = await setUp({ respond: ({ socket }) => socket.destroy() });
    await expect(send()).rejects.toThrow("fetch failed");
    expect(counts().asked).toBe(1);
  });

  test.each<[string, (response: ServerResponse) => void]>([
    ["with its answer", (response) => response.writeHead(200, eventStream).write("data: a\n\n")],
    ["with a word before it", (response) => response.writeProcessing()],
  ])("when it has begun %s has begun with the request", async (_how, begin) => {
    const { send, counts } = await setUp({
      respond: ({ socket }, response, nth) => {
        if (nth === 1) return answer(response);
        begin(response);
        setImmediate(() => socket.destroySoon());
      },
    });
    await send();
    await expect(send()).rejects.toThrow(TypeError);
    expect(counts().asked).toBe(2);
  });

  test("after it has had the request for a while may have done it", async () => {
    const clock = vi.spyOn(performance, "now");
    onTestFinished(() => clock.mockRestore());
    const { send, counts } = await setUp({
      respond: ({ socket }, response, nth) => {
        if (nth === 1) return answer(response);
        const nowMs = performance.now();
        clock.mockImplementation(() => nowMs + 2_500);
        socket.destroy();
      },
    });
    await send();
    await expect(send()).rejects.toThrow("fetch failed");
    expect(counts().asked).toBe(2);
  });
});
