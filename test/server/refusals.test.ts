/** What is answered outside of tRPC: in tRPC's own form, told to the operator where it is a fault, and let go of. */
import { Socket } from "node:net";
import Fastify from "fastify";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { openLangwire } from "../../src/open/open-langwire.ts";
import { LangwireError } from "../../src/protocol/errors.ts";
import { Refusals } from "../../src/server/access/refusals.ts";
import { servedRouter } from "../../src/server/served-router.ts";

async function refusals(): Promise<Refusals> {
  const langwire = await openLangwire({ bots: [] });
  onTestFinished(() => langwire[Symbol.asyncDispose]());
  return new Refusals(servedRouter(langwire, {}));
}

test.each<[string, unknown, number, string, boolean]>([
  ["a slip of ours", new TypeError("secret is not a function"), 500, "INTERNAL", true],
  ["what is no error", "secret", 500, "INTERNAL", true],
  ["a refusal", new LangwireError("NOT_FOUND"), 404, "NOT_FOUND", false],
  ["our own fault by its name", new LangwireError("INTERNAL"), 500, "INTERNAL", true],
  [
    "a limit",
    new LangwireError("RATE_LIMITED", { retryAfterMs: 1_001 }),
    429,
    "RATE_LIMITED",
    false,
  ],
  [
    "a method that is not served",
    Object.assign(new Error("no"), { statusCode: 405 }),
    405,
    "BAD_INPUT",
    false,
  ],
  ["too much", Object.assign(new Error("no"), { statusCode: 413 }), 413, "BAD_INPUT", false],
  [
    "another refusal of Fastify's",
    Object.assign(new Error("no"), { statusCode: 418 }),
    400,
    "BAD_INPUT",
    false,
  ],
  [
    "Fastify's own failure",
    Object.assign(new Error("secret"), { statusCode: 503 }),
    500,
    "INTERNAL",
    true,
  ],
])("%s, thrown in a route", async (_what, thrown, status, code, isTold) => {
  const told: string[] = [];
  const app = Fastify({ logger: { level: "error", stream: { write: (line) => told.push(line) } } });
  (await refusals()).handle(app);
  app.get("/throws", () => {
    throw thrown;
  });
  const { statusCode, headers, body } = await app.inject("/throws");
  expect([statusCode, JSON.parse(body).error.json.data.langwire.code]).toEqual([status, code]);
  expect(body).not.toContain("secret");
  expect(headers["retry-after"]).toBe(code === "RATE_LIMITED" ? "2" : undefined);
  expect(told).toHaveLength(isTold ? 1 : 0);
  if (isTold) expect(JSON.parse(told[0] ?? "")).toMatchObject({ msg: "request failed" });
});

describe("a connection that is refused", () => {
  /** One whose other end reads nothing. */
  class UnreadSocket extends Socket {
    written = "";
    override _write(chunk: Buffer): void {
      this.written += chunk;
    }
  }

  test.each<[string, RegExp, (refuse: Refusals, socket: Socket) => void]>([
    [
      "the server's limit",
      /^HTTP\/1.1 503 /,
      (it, socket) => it.sendLimitReached(socket, "all", 9),
    ],
    ["its address's", /^HTTP\/1.1 429 /, (it, socket) => it.sendLimitReached(socket, "address", 9)],
    ["what it sends", /^HTTP\/1.1 400 /, (it, socket) => it.sendRaw({}, socket)],
    [
      "how slow it is",
      /^HTTP\/1.1 408 /,
      (it, socket) => it.sendRaw({ code: "ERR_HTTP_REQUEST_TIMEOUT" }, socket),
    ],
  ])("for %s is closed after a second, though it reads nothing", async (_why, answer, refuse) => {
    const all = await refusals();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const socket = new UnreadSocket();
    const closed = new Promise((resolve) => socket.once("close", resolve));
    refuse(all, socket);
    expect(socket.written).toMatch(answer);
    vi.advanceTimersByTime(999);
    expect(socket.destroyed).toBe(false);
    vi.advanceTimersByTime(1);
    expect(socket.destroyed).toBe(true);
    await closed;
    expect(vi.getTimerCount()).toBe(0);
  });

  test("because it was reset is sent nothing", async () => {
    const socket = new UnreadSocket();
    (await refusals()).sendRaw({ code: "ECONNRESET" }, socket);
    expect([socket.destroyed, socket.written]).toEqual([true, ""]);
  });
});
