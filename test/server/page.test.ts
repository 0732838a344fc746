/** The page as it is built and served: compressed for whoever takes that, and kept where that is safe. */
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openLangwire } from "../../src/index.ts";
import { createServer } from "../../src/server/app.ts";
import { buildPage } from "../support/built-page.ts";

const stack = new AsyncDisposableStack();
let app: FastifyInstance;

beforeAll(async () => {
  const pageDir = await buildPage(stack);
  const langwire = stack.use(await openLangwire({ bots: [] }));
  const server = await createServer({ langwire, pageDir });
  stack.defer(() => server.close(0));
  ({ app } = server);
});
afterAll(() => stack.disposeAsync());

/** What Chromium sends over HTTPS and to localhost; to others, over HTTP, the first two. */
const fromBrowser = "gzip, deflate, br, zstd";

async function get(url: string, headers: Record<string, string> = {}) {
  const answer = await app.inject({ url, headers: { host: "127.0.0.1", ...headers } });
  return { ...answer, status: answer.statusCode, bytes: answer.rawPayload, text: answer.body };
}

async function assets(): Promise<string[]> {
  const { text } = await get("/");
  return [...text.matchAll(/(?:src|href)="\.(\/assets\/[^"]+)"/g)].map(([, path = ""]) => path);
}

test("a browser gets every asset compressed, and keeps it for good", async () => {
  const types = { js: "javascript", css: "text/css", svg: "image/svg+xml" };
  const paths = await assets();
  expect(paths.map((path) => path.split(".").at(-1)).sort()).toEqual(Object.keys(types).sort());
  for (const [extension, type] of Object.entries(types)) {
    const path = paths.find((path) => path.endsWith(extension)) ?? "";
    const plain = await get(path);
    expect(plain.headers["content-encoding"]).toBeUndefined();
    for (const [accepted, coding, decode] of [
      [fromBrowser, "br", brotliDecompressSync],
      ["gzip, deflate", "gzip", gunzipSync],
    ] as const) {
      const { status, headers, bytes } = await get(path, { "accept-encoding": accepted });
      expect(status).toBe(200);
      expect(headers).toMatchObject({
        "content-encoding": coding,
        "content-type": expect.stringContaining(type),
        "content-length": String(bytes.length),
        "cache-control": "public, max-age=31536000, immutable",
        "x-content-type-options": "nosniff",
      });
      expect(headers.vary).toMatch(/accept-encoding/i);
      expect(decode(bytes).equals(plain.bytes)).toBe(true);
    }
    expect(plain.headers.vary).toMatch(/accept-encoding/i);
  }
});

test("the script is less than a third of what it would be", async () => {
  const path = (await assets()).find((path) => path.endsWith(".js")) ?? "";
  const whole = (await get(path)).bytes.length;
  const { bytes } = await get(path, { "accept-encoding": fromBrowser });
  expect(bytes.length).toBeLessThan(whole / 3);
});

test("the page itself is asked for each time, and sent again only when it changed", async () => {
  const accepting = { "accept-encoding": fromBrowser };
  const { headers, bytes } = await get("/", accepting);
  expect(headers).toMatchObject({ "content-encoding": "br", "cache-control": "no-cache" });
  expect(brotliDecompressSync(bytes).toString()).toContain("<!doctype html>");
  const again = await get("/", { ...accepting, "if-none-match": String(headers.etag) });
  expect([again.status, again.bytes.length]).toEqual([304, 0]);
});

test("compressed files have no addresses of their own", async () => {
  for (const path of ["/index.html.br", ...(await assets()).map((path) => `${path}.gz`)]) {
    expect((await get(path)).status).toBe(404);
  }
});
