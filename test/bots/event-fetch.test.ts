/** The fetch itself: as the stock one where they agree, and what it does beyond. */
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { H2CClient } from "undici";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import {
  createEventFetch,
  type EventFetch,
  ProviderTimeout,
} from "../../src/event-fetch/event-fetch.ts";
import { eventDocument } from "./event-fetch-documents.ts";
import {
  cutAt,
  eventStream,
  startServer,
  type TestServer,
  writePieces,
} from "./event-fetch-server.ts";

let server: TestServer;
const fetches: { name: string; make: () => EventFetch }[] = [
  { name: "direct", make: () => createEventFetch(limits) },
  {
    name: "around the stock fetch",
    make: () => createEventFetch({ ...limits, fetch: (input, init) => fetch(input, init) }),
  },
];
const limits = { firstByteTimeoutMs: 60_000, stallTimeoutMs: 60_000 };

beforeAll(async () => {
  server = await startServer((_request, response) => void response.end());
});

afterAll(() => server[Symbol.asyncDispose]());

/** An event stream that the test goes on writing by hand. */
function openStream(): Promise<ServerResponse> {
  return new Promise((resolve) => {
    server.respond = (_request, response) => {
      response.writeHead(200, eventStream);
      response.flushHeaders();
      resolve(response);
    };
  });
}

async function textOf(response: Response): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) text += decoder.decode(chunk, { stream: true });
  return text;
}

/** What a caller can see of an answer, or of its failure. */
async function seen(call: Promise<Response>): Promise<unknown> {
  try {
    const response = await call;
    const { status, statusText, ok, url, redirected } = response;
    const { date: _, ...headers } = Object.fromEntries(response.headers);
    const text = Buffer.from(await response.arrayBuffer()).toString("base64");
    return { status, statusText, ok, url, redirected, headers, text, used: response.bodyUsed };
  } catch (error) {
    return named(error);
  }
}

function named(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  return { name: error.name, message: error.message };
}

describe.each(fetches)("a request $name", ({ make }) => {
  const eventFetch = make();
  afterAll(() => eventFetch.close());

  async function expectAsStock(path: string, init?: () => RequestInit): Promise<unknown> {
    const stock = await seen(fetch(server.url + path, init?.()));
    expect(await seen(eventFetch(server.url + path, init?.()))).toEqual(stock);
    return stock;
  }

  it("is answered as by the stock fetch, for any body in any pieces", async () => {
    const types = fc.constantFrom("application/json", "text/event-stream", "TEXT/event-stream;a=b");
    await fc.assert(
      fc.asyncProperty(eventDocument, types, async ({ bytes, cuts }, type) => {
        server.respond = async (_request, response) => {
          response.writeHead(200, "Fine", { "content-type": type, "x-a": ["1", "é"] });
          await writePieces(response, cutAt(bytes, cuts));
          response.end();
        };
        await expectAsStock("/v1/any?a=b");
      }),
      { numRuns: 150, interruptAfterTimeLimit: 6000 },
    );
  });

  it.each([200, 201, 204, 205, 304, 400, 404, 500, 503])(
    "is answered as by the stock fetch with the status %d",
    async (status) => {
      server.respond = (_request, response) => {
        response.writeHead(status, {
          "content-type": "application/json",
          "set-cookie": ["a", "b"],
        });
        response.end([204, 205, 304].includes(status) ? undefined : '{"a":1}');
      };
      await expectAsStock("/");
      await expectAsStock("/", () => ({ method: "HEAD" }));
    },
  );

  it("takes no early hints for the answer, as the stock fetch does not", async () => {
    server.respond = (_request, response) => {
      response.writeEarlyHints({ link: "</a.css>; rel=preload; as=style" });
      response.writeProcessing();
      response.writeHead(201, { "content-type": "application/json" });
      response.end('{"a":1}');
    };
    expect(await expectAsStock("/")).toMatchObject({ status: 201, text: btoa('{"a":1}') });
  });

  it("has an address without what stands behind a hash, as by the stock fetch", async () => {
    server.respond = (request, response) => void response.end(request.url);
    const seen = { url: `${server.url}/a?b=c`, text: btoa("/a?b=c") };
    expect(await expectAsStock("/a?b=c#d")).toMatchObject(seen);
  });

  const form = new FormData();
  form.set("file", new File(["炭酸水"], "a.txt"));
  it.each<[string, () => RequestInit]>([
    ["a string", () => ({ body: "炭酸水" })],
    ["an empty string", () => ({ body: "" })],
    ["bytes", () => ({ body: new Uint8Array([0, 255, 13, 10]) })],
    ["a form", () => ({ body: new URLSearchParams({ a: "é" }) })],
    ["a blob", () => ({ body: new Blob(["abc"]) })],
    ["a stream", () => ({ body: new Blob(["abc"]).stream(), duplex: "half" })],
    ["nothing", () => ({})],
    ["its own headers", () => ({ body: "{}", headers: { "Content-Type": "a/b", "X-Key": "é" } })],
  ])("sends %s as the stock fetch does", async (_name, init) => {
    server.respond = async (request, response) => {
      const { "content-type": type, "content-length": length, "x-key": key } = request.headers;
      const body = (await buffer(request)).toString("base64");
      response.end(JSON.stringify({ method: request.method, type, length, key, body }));
    };
    await expectAsStock("/", () => ({ method: "POST", ...init() }));
  });

  it("sends FormData and Request objects", async () => {
    server.respond = async (request, response) => {
      response.end(`${request.method} ${request.headers["x-a"]} ${await buffer(request)}`);
    };
    const posted = await eventFetch(server.url, { method: "POST", body: form });
    expect(await posted.text()).toContain("炭酸水");
    const request = new Request(server.url, {
      method: "PUT",
      body: "abc",
      headers: { "x-a": "1" },
    });
    expect(await (await eventFetch(request)).text()).toBe("PUT 1 abc");
  });

  it("refuses what the stock fetch refuses, in the same words", async () => {
    await expectAsStock("/", () => ({ method: "GET", body: "a" }));
    await expectAsStock("/", () => ({ method: "a b" }));
    await expectAsStock("/", () => ({ headers: { "a b": "c" } }));
    for (const url of ["http://", "ftp://127.0.0.1", "http://user:secret@127.0.0.1", "/v1"]) {
      expect(await seen(eventFetch(url))).toEqual(await seen(fetch(url)));
    }
  });

  it("fails as the stock fetch does where nobody listens", async () => {
    const gone = await startServer(() => {});
    await gone[Symbol.asyncDispose]();
    const error = await eventFetch(gone.url).catch((reason: unknown) => reason);
    expect(named(error)).toEqual({ name: "TypeError", message: "fetch failed" });
    expect(error).toHaveProperty("cause.code", "ECONNREFUSED");
  });

  it.each([301, 302, 303, 307, 308])(
    "follows a redirect %d as the stock fetch does",
    async (status) => {
      server.respond = async (request, response) => {
        const body = await buffer(request);
        if (request.url === "/from")
          response.writeHead(status, { location: "/to?a=b" }).end("moved");
        else response.end(`${request.method} ${request.headers.authorization} ${body}`);
      };
      const init = () => ({ method: "POST", body: "abc", headers: { authorization: "key" } });
      await expectAsStock("/from", init);
      await expectAsStock("/from");
    },
  );

  it("takes no credentials to another origin", async () => {
    await using other = await startServer((request, response) => {
      response.end(`${request.headers.authorization} ${request.headers["x-a"]}`);
    });
    server.respond = (_request, response) => {
      response.writeHead(307, { location: `${other.url}/to` }).end();
    };
    const headers = { authorization: "secret", "x-a": "1" };
    const response = await eventFetch(server.url, { method: "POST", body: "a", headers });
    expect(await response.text()).toBe("undefined 1");
    expect(response.url).toBe(`${other.url}/to`);
  });

  it("gives up on redirects without end", async () => {
    let hops = 0;
    server.respond = (_request, response) => {
      hops += 1;
      response.writeHead(302, { location: `/${hops}` }).end();
    };
    expect(await seen(eventFetch(`${server.url}/start`))).toEqual({
      name: "TypeError",
      message: "fetch failed",
    });
    expect(hops).toBeLessThan(30);
  });

  it.each([
    ["gzip", gzipSync],
    ["x-gzip", gzipSync],
    ["deflate", deflateSync],
    ["br", brotliCompressSync],
    ["gzip, br", (plain: Buffer) => brotliCompressSync(gzipSync(plain))],
    ["br, deflate", (plain: Buffer) => deflateSync(brotliCompressSync(plain))],
    ["zstd", zstdCompressSync],
    ["unheard-of", (bytes: Buffer) => bytes],
  ])("decodes %s, also in an event stream in pieces", async (coding, encode) => {
    const text = Array.from({ length: 500 }, (_, index) => `data: 炭酸水 ${index}\n\n`).join("");
    const encoded = encode(Buffer.from(text));
    for (const type of ["application/json", "text/event-stream"]) {
      server.respond = async (_request, response) => {
        response.writeHead(200, { "content-type": type, "content-encoding": coding });
        await writePieces(response, cutAt(encoded, [1, 9, 100]));
        response.end();
      };
      await expectAsStock("/");
      expect(await (await eventFetch(server.url)).text()).toBe(text);
    }
  });

  it("fails on a body that is not encoded as it says, and closes its connection", async () => {
    server.respond = async (_request, response) => {
      response.writeHead(200, { ...eventStream, "content-encoding": "gzip" });
      response.write("data: not gzip\n\n");
    };
    const response = await eventFetch(server.url);
    await expect(textOf(response)).rejects.toThrow(TypeError);
    await expect.poll(() => server.openAnswers.size).toBe(0);
  });

  it("keeps a connection for the next request", async () => {
    await using fresh = await startServer((_request, response) => {
      response.writeHead(200, eventStream).end("data: 1\n\n");
    });
    for (let count = 0; count < 3; count++) {
      expect(await (await eventFetch(fresh.url)).text()).toBe("data: 1\n\n");
      // undici gives a connection back with the next turn of the event loop.
      await nextTurn();
    }
    expect(fresh.connectionCount).toBe(1);
  });
});

describe.each(fetches)("the body of an event stream $name", ({ make }) => {
  const eventFetch = make();
  afterAll(() => eventFetch.close());

  const document = "data: 1\n\ndata: 2\r\n\r\ndata: 3";
  async function answer(): Promise<Response> {
    server.respond = (_request, response) => {
      response.writeHead(200, eventStream).end(document);
    };
    return eventFetch(server.url);
  }

  it("comes in whole events, as plain bytes", async () => {
    const stream = openStream();
    const response = await eventFetch(server.url);
    const reader = (await Promise.resolve(response.body?.getReader())) ?? expect.fail();
    const provider = await stream;
    await writePieces(provider, [Buffer.from("data: 1\n")]);
    provider.write("\ndata: 2\n\ndata: ");
    const first = await reader.read();
    expect(first.value?.constructor).toBe(Uint8Array);
    let text = Buffer.from(first.value ?? []).toString();
    while (!text.endsWith("2\n\n")) text += Buffer.from((await reader.read()).value ?? []);
    expect(text).toBe("data: 1\n\ndata: 2\n\n");
    provider.end("3");
    expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe("data: 3");
    expect(await reader.read()).toEqual({ done: true, value: undefined });
    await reader.closed;
  });

  it("can be read in every way that a stream can", async () => {
    expect(await (await answer()).text()).toBe(document);
    expect(await textOf(await answer())).toBe(document);
    expect(await (await answer()).clone().text()).toBe(document);
    const [left, right] = (await answer()).body?.tee() ?? expect.fail();
    expect(await Promise.all([new Response(left).text(), new Response(right).text()])).toEqual([
      document,
      document,
    ]);
    const decoded = (await answer()).body?.pipeThrough(new TextDecoderStream()) ?? [];
    let text = "";
    for await (const chunk of decoded) text += chunk;
    expect(text).toBe(document);
    let through = "";
    const sink = new WritableStream({
      write: (chunk) => {
        through += Buffer.from(chunk);
      },
    });
    await (await answer()).body?.pipeTo(sink);
    expect(through).toBe(document);
  });

  it("is locked, released and used as a stream is", async () => {
    const response = await answer();
    const body = response.body ?? expect.fail();
    expect([body.locked, response.bodyUsed]).toEqual([false, false]);
    const reader = body.getReader();
    expect(body.locked).toBe(true);
    expect(() => body.getReader()).toThrow(TypeError);
    expect(() => body.tee()).toThrow(TypeError);
    await expect(response.text()).rejects.toThrow(TypeError);
    await reader.read();
    reader.releaseLock();
    await expect(reader.read()).rejects.toThrow(TypeError);
    expect([body.locked, response.bodyUsed]).toEqual([false, true]);
    await expect(response.text()).rejects.toThrow(TypeError);
    await body.cancel();
    expect(await body.getReader().read()).toEqual({ done: true, value: undefined });
  });

  it("fails reads that wait when their reader is released, and gives what comes to the next", async () => {
    const stream = openStream();
    const body = (await eventFetch(server.url)).body ?? expect.fail();
    const reader = body.getReader();
    const reads = [reader.read(), reader.read()];
    const provider = await stream;
    reader.releaseLock();
    const outcomes = await Promise.allSettled(reads);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    const next = body.getReader().read();
    provider.end("data: a\n\n");
    expect(Buffer.from((await next).value ?? []).toString()).toBe("data: a\n\n");
  });

  it("answers reads in the order they were asked, also before anything has come", async () => {
    const stream = openStream();
    const reader = (await eventFetch(server.url)).body?.getReader() ?? expect.fail();
    const reads = Promise.all([reader.read(), reader.read(), reader.read(), reader.read()]);
    const provider = await stream;
    await writePieces(provider, [Buffer.from("data: 1\n\n"), Buffer.from("data: 2\n\n")]);
    provider.end();
    const all = await reads;
    expect(all.map(({ value }) => Buffer.from(value ?? []).toString()).join("")).toBe(
      "data: 1\n\ndata: 2\n\n",
    );
    expect(all.at(-1)?.done).toBe(true);
  });
});

describe.each(fetches)("stopping $name", ({ make }) => {
  const eventFetch = make();
  afterAll(() => eventFetch.close());

  const allClosed = () => expect.poll(() => server.openAnswers.size).toBe(0);

  it("rejects at once when the signal was aborted before", async () => {
    let requests = 0;
    server.respond = () => {
      requests += 1;
    };
    const reason = new Error("changed my mind");
    await expect(eventFetch(server.url, { signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    );
    expect(requests).toBe(0);
  });

  it("closes the provider's connection when aborted before the headers", async () => {
    const asked = Promise.withResolvers<void>();
    server.respond = () => asked.resolve();
    const abort = new AbortController();
    const call = eventFetch(server.url, { signal: abort.signal, method: "POST", body: "{}" });
    await asked.promise;
    abort.abort();
    await expect(call).rejects.toMatchObject({ name: "AbortError" });
    await allClosed();
  });

  it("closes it and fails the read when aborted in the middle", async () => {
    const stream = openStream();
    const abort = new AbortController();
    const response = await eventFetch(server.url, { signal: abort.signal });
    const provider = await stream;
    const closed = once(provider, "close");
    const reader = response.body?.getReader() ?? expect.fail();
    provider.write("data: 1\n\n");
    await reader.read();
    const read = reader.read();
    abort.abort(new Error("enough"));
    await expect(read).rejects.toThrow("enough");
    await expect(reader.read()).rejects.toThrow("enough");
    await expect(reader.closed).rejects.toThrow("enough");
    await closed;
    await allClosed();
  });

  it.each<[string, (body: ReadableStream<Uint8Array>) => Promise<unknown>]>([
    ["cancels the body", (body) => body.cancel()],
    ["cancels its reader", (body) => body.getReader().cancel()],
    [
      "leaves a loop over it",
      async (body) => {
        for await (const _ of body) break;
      },
    ],
  ])("closes it when the caller %s", async (_name, leave) => {
    const stream = openStream();
    const response = await eventFetch(server.url);
    const provider = await stream;
    const closed = once(provider, "close");
    provider.write("data: 1\n\n");
    await leave(response.body ?? expect.fail());
    await closed;
    await allClosed();
  });

  it("closes it when an encoded body is not wanted, also while its bytes are waited for", async () => {
    const stream = Promise.withResolvers<ServerResponse>();
    server.respond = (_request, response) => {
      response.writeHead(200, { ...eventStream, "content-encoding": "gzip" });
      response.flushHeaders();
      stream.resolve(response);
    };
    const { body } = await eventFetch(server.url);
    const reader = body?.getReader() ?? expect.fail();
    const provider = await stream.promise;
    const closed = once(provider, "close");
    provider.write(gzipSync("data: 1\n\n"));
    await reader.read();
    await reader.cancel();
    await closed;
    await allClosed();
  });

  it.each(["chunked", "length"])(
    "takes a cut %s body for an error, not for an end",
    async (how) => {
      server.respond = async (_request, response) => {
        response.writeHead(200, {
          ...eventStream,
          ...(how === "length" && { "content-length": 1000 }),
        });
        await writePieces(response, [Buffer.from("data: 1\n\n"), Buffer.from("data: 2")]);
        response.destroy();
      };
      const error = await (await eventFetch(server.url)).text().catch((reason: unknown) => reason);
      expect(named(error)).toEqual({ name: "TypeError", message: "terminated" });
      expect(error).toHaveProperty("cause");
    },
  );

  it("leaves no listener on the signal, however it ends", async () => {
    const abort = new AbortController();
    const { signal } = abort;
    const added = vi.spyOn(signal, "addEventListener");
    const removed = vi.spyOn(signal, "removeEventListener");
    server.respond = (request, response) => {
      response.writeHead(200, eventStream);
      if (request.url === "/cut") response.write("data: 1\n\n", () => response.destroy());
      else if (request.url === "/open") response.write("data: 1\n\n");
      else response.end("data: 1\n\n");
    };
    await (await eventFetch(`${server.url}/end`, { signal })).text();
    await (await eventFetch(`${server.url}/cut`, { signal })).text().catch(() => {});
    await (await eventFetch(`${server.url}/open`, { signal })).body?.cancel();
    await expect.poll(() => removed).toHaveBeenCalledTimes(3);
    expect(added).toHaveBeenCalledTimes(3);
  });
});

describe.each([
  { name: "direct", inner: undefined },
  { name: "around the stock fetch", inner: (...args: Parameters<typeof fetch>) => fetch(...args) },
])("a silent provider, $name", ({ inner }) => {
  const make = (firstByteTimeoutMs: number, stallTimeoutMs: number) =>
    createEventFetch({
      firstByteTimeoutMs,
      stallTimeoutMs,
      ...(inner !== undefined && { fetch: inner }),
    });
  const firstByte = { name: "ProviderTimeout", phase: "firstByte" };
  const stall = { name: "ProviderTimeout", phase: "stall" };

  it("that sends no headers", async () => {
    await using eventFetch = make(30, 60_000);
    server.respond = () => {};
    const error = await eventFetch(server.url).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ProviderTimeout);
    expect(error).toMatchObject(firstByte);
    await expect.poll(() => server.openAnswers.size).toBe(0);
  });

  it("that sends headers alone", async () => {
    await using eventFetch = make(400, 60_000);
    openStream();
    // On a busy machine they may themselves be too late.
    const text = eventFetch(server.url).then((response) => response.text());
    await expect(text).rejects.toMatchObject(firstByte);
    await expect.poll(() => server.openAnswers.size).toBe(0);
  });

  it.each(["text/event-stream", "application/json"])("in the middle of %s", async (type) => {
    await using eventFetch = make(60_000, 30);
    server.respond = (_request, response) => {
      response.writeHead(200, { "content-type": type });
      response.write("data: 1\n\ndata: ");
    };
    const response = await eventFetch(server.url);
    const reader = response.body?.getReader() ?? expect.fail();
    await reader.read();
    await expect(reader.read().then(() => reader.read())).rejects.toMatchObject(stall);
    await expect.poll(() => server.openAnswers.size).toBe(0);
  });

  it("is not one that is slow, nor one whose events grow slowly", async () => {
    // The whole takes longer than the limit, and each step a small part of it.
    await using eventFetch = make(60_000, 2_000);
    server.respond = async (_request, response) => {
      response.writeHead(200, eventStream);
      for (const letter of "data:a\n\n") {
        response.write(letter);
        await sleep(300);
      }
      response.end();
    };
    expect(await (await eventFetch(server.url)).text()).toBe("data:a\n\n");
  });

  it("is not one whose answer nobody reads for a while", async () => {
    await using eventFetch = make(60_000, 800);
    const stream = openStream();
    const response = await eventFetch(server.url);
    const provider = await stream;
    provider.write("data: 1\n\n");
    const reader = response.body?.getReader() ?? expect.fail();
    await reader.read();
    // Longer than the limit: of a reader who does not read.
    await sleep(1_000);
    provider.end("data: 2\n\n");
    expect((await reader.read()).done).toBe(false);
    expect((await reader.read()).done).toBe(true);
  });

  it("is not one whose bytes lie ready while this process was busy", async () => {
    await using eventFetch = make(60_000, 50);
    const stream = openStream();
    const reader = (await eventFetch(server.url)).body?.getReader() ?? expect.fail();
    const provider = await stream;
    await writePieces(provider, [Buffer.from("data: 1\n\n")]);
    await reader.read();
    const read = reader.read();
    provider.write("data: 2\n\n");
    const busyUntil = performance.now() + 150;
    while (performance.now() < busyUntil);
    expect((await read).done).toBe(false);
    provider.end();
  });
});

describe("the event fetch", () => {
  it("pauses the provider while the reader does not read, and loses nothing", async () => {
    await using eventFetch = createEventFetch({ firstByteTimeoutMs: 60_000, stallTimeoutMs: 800 });
    const event = Buffer.from(`data: ${"x".repeat(10_000)}\n\n`);
    const eventCount = 3000;
    let written = 0;
    server.respond = async (_request, response) => {
      response.writeHead(200, eventStream);
      for (let count = 0; count < eventCount; count++) {
        written += event.length;
        if (!response.write(event)) await once(response, "drain");
      }
      response.end();
    };
    const response = await eventFetch(server.url);
    let before = -1;
    while (before !== written) {
      before = written;
      await sleep(100);
    }
    // Longer than the limit, which does not count while it is paused.
    await sleep(1_000);
    // The sockets' own buffers hold some megabytes.
    expect(written).toBeLessThan((event.length * eventCount) / 2);
    let received = 0;
    for await (const chunk of response.body ?? []) received += chunk.length;
    expect(received).toBe(event.length * eventCount);
  });

  it("gives an event far longer than what may lie unread, also when it was paused for it", async () => {
    await using eventFetch = createEventFetch();
    const event = Buffer.from(`data: ${"x".repeat(3_000_000)}\n\n`);
    server.respond = (_request, response) => {
      response.writeHead(200, eventStream).end(Buffer.concat([event, event]));
    };
    const response = await eventFetch(server.url);
    await sleep(50);
    const lengths = [];
    for await (const chunk of response.body ?? []) lengths.push(chunk.length);
    expect(lengths).toEqual([event.length, event.length]);
  });

  it("speaks through a dispatcher that it is given, HTTP/2 too, and leaves it open", async () => {
    const http2 = createHttp2Server((_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream", "x-a": "1" });
      response.end("data: 2\n\n");
    });
    http2.listen(0, "127.0.0.1");
    await once(http2, "listening");
    const url = `http://127.0.0.1:${(http2.address() as AddressInfo).port}`;
    const dispatcher = new H2CClient(url);
    const eventFetch = createEventFetch({ dispatcher });
    for (let count = 0; count < 2; count++) {
      const response = await eventFetch(`${url}/v1`);
      expect([response.status, response.headers.get("x-a")]).toEqual([200, "1"]);
      expect(await response.text()).toBe("data: 2\n\n");
      await eventFetch.close();
    }
    await dispatcher.close();
    http2.close();
  });

  it("tells of each request, and closes the connections it made", async () => {
    let requests = 0;
    const eventFetch = createEventFetch({ onRequest: () => void requests++ });
    server.respond = (_request, response) => void response.end("{}");
    await (await eventFetch(server.url)).text();
    await (await eventFetch(new Request(server.url))).text();
    expect(requests).toBe(2);
    await eventFetch.close();
    await expect(eventFetch(server.url)).rejects.toThrow("fetch failed");
  });

  it("lets go of a response that was dropped unread", async () => {
    const { setFlagsFromString } = await import("node:v8");
    const { runInNewContext } = await import("node:vm");
    setFlagsFromString("--expose-gc");
    const collectGarbage: () => void = runInNewContext("gc");
    await using eventFetch = createEventFetch();
    const stream = openStream();
    await eventFetch(server.url);
    const closed = once(await stream, "close");
    const collecting = setInterval(collectGarbage, 10);
    await closed;
    clearInterval(collecting);
  });
});
