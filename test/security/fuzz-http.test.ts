/**
 * Requests that no honest client sends, over HTTP: each gets an answer, a refusal is typed and never
 * INTERNAL, and afterwards the server has kept nothing.
 */
import { connect } from "node:net";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  expectUnharmed,
  fuzzCases,
  honestClient,
  inTime,
  startFuzzedServer,
} from "./fuzzed-server.ts";
import { input, oddText, paths, toText } from "./hostile-frames.ts";

const cases = fuzzCases(300);

const path = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...paths) },
  {
    weight: 2,
    arbitrary: fc.array(fc.constantFrom(...paths), { maxLength: 5 }).map((it) => it.join()),
  },
  { weight: 1, arbitrary: oddText.map((text) => encodeURIComponent(text.toWellFormed())) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("%", "..", "../healthz", "__proto__", "a".repeat(6_000)),
  },
);

const headers = fc.record(
  {
    "content-type": fc.constantFrom(
      "application/json",
      "application/json",
      "application/json; charset=utf-16",
      "multipart/form-data; boundary=x",
      "application/octet-stream",
      "text/plain",
      "nonsense",
    ),
    accept: fc.constantFrom("*/*", "text/event-stream", "application/jsonl"),
    "trpc-accept": fc.constantFrom("application/jsonl", "nonsense"),
    "last-event-id": fc.constantFrom("0", "-1", "99999999999999999999", "x"),
    "x-user-id": fc.constantFrom("ann", "", "x".repeat(300), "a\tb"),
    authorization: fc.constantFrom("Bearer x", "Basic x", ""),
    origin: fc.constantFrom("null", "http://localhost", "https://evil.example"),
    "sec-fetch-site": fc.constantFrom("none", "cross-site"),
    "transfer-encoding": fc.constantFrom("chunked", "gzip", "identity"),
    "content-length": fc.constantFrom("0", "1", "-1", "9999999999", "x"),
    expect: fc.constant("100-continue"),
    upgrade: fc.constantFrom("websocket", "h2c"),
    connection: fc.constantFrom("upgrade", "close", "keep-alive"),
    "sec-websocket-key": fc.constantFrom("x", "dGhlIHNhbXBsZSBub25jZQ=="),
    "sec-websocket-version": fc.constantFrom("13", "1"),
  },
  { requiredKeys: [] },
);

const body = fc.oneof(
  { weight: 5, arbitrary: input.map(toText) },
  { weight: 2, arbitrary: fc.array(input, { maxLength: 4 }).map((it) => toText({ ...it })) },
  { weight: 1, arbitrary: oddText },
  { weight: 1, arbitrary: fc.constantFrom("", "{", "null", "x".repeat(262_145)) },
);

const request = fc
  .record({
    method: fc.constantFrom(
      "GET",
      "GET",
      "POST",
      "POST",
      "PUT",
      "OPTIONS",
      "HEAD",
      "TRACE",
      "QUERY",
    ),
    path,
    query: fc.array(
      fc.oneof(
        input.map((it) => `input=${encodeURIComponent(toText(it).slice(0, 4_000).toWellFormed())}`),
        fc.constantFrom("batch=1", "batch=0", "connectionParams=%7B", "connectionParams=null"),
        fc.constantFrom("connectionParams=1", "lastEventId=5", "input=%", "input=%00", "input"),
      ),
      { maxLength: 3 },
    ),
    headers,
    body,
  })
  .map(({ method, path, query, headers, body }) => {
    const fields = Object.entries({ "content-length": Buffer.byteLength(body), ...headers });
    const head = fields.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    const target = `/trpc/${path}${query.length === 0 ? "" : `?${query.join("&")}`}`;
    return `${method} ${target} HTTP/1.1\r\nhost: 127.0.0.1\r\n${head}\r\n${body}`;
  });

const noise = fc
  .tuple(request, fc.nat(), oddText)
  .map(([whole, at, odd]) => whole.slice(0, at % 300) + odd + whole.slice((at % 300) + 2));

interface Failed {
  readonly error?: { readonly json?: { readonly data: { readonly langwire: { code: string } } } };
}

/** What comes back until the server is done, or for as long as a stream may be watched. */
async function exchange(port: number, text: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  const chunks: Buffer[] = [];
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  const answered = new Promise<void>((resolve) => {
    socket.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      resolve();
    });
    closed.then(resolve);
  });
  socket.write(text);
  // The other half of a request that promises more than it brings.
  const more = setTimeout(() => socket.end(), 50);
  await inTime(answered);
  clearTimeout(more);
  socket.end();
  const patience = setTimeout(() => socket.destroy(), 100);
  await inTime(closed);
  clearTimeout(patience);
  return Buffer.concat(chunks).toString();
}

test(`${cases} hostile requests`, { timeout: cases * 200 + 60_000 }, async () => {
  await using server = await startFuzzedServer();
  const honest = honestClient(server.port);
  const hostile = fc.oneof({ weight: 5, arbitrary: request }, { weight: 1, arbitrary: noise });
  await fc.assert(
    fc.asyncProperty(hostile, async (text) => {
      const answer = await exchange(server.port, text);
      const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 400);
      expect(status).toBeLessThan(500);
      expect(answer).not.toContain('"INTERNAL"');
      expect(answer).not.toMatch(/\bat \w.*:\d+:\d+/);
      const json = /^\{"error":.*?\}(?=HTTP|$)/m.exec(answer)?.[0];
      if (json === undefined) return;
      const { error } = JSON.parse(json) as Failed;
      expect(error?.json?.data.langwire.code).toMatch(/^[A-Z_]+$/);
    }),
    { numRuns: cases, endOnFailure: false },
  );
  await expectUnharmed(server, honest);
});
