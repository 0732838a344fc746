/** One request and its answer, without a connection: what its caller and its connection are told, and what stays of it. */
import { getEventListeners } from "node:events";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { Exchange } from "../../src/event-fetch/exchange.ts";

const limits = { firstByteTimeoutMs: 1_000, stallTimeoutMs: 100 };
const head = {
  ...{ status: 200, statusText: "OK", url: "http://provider.test/", redirected: false },
  ...{ headers: new Headers(), hasBody: true, isEncoded: false },
};

function exchangeOf() {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const { promise, ...caller } = Promise.withResolvers<Response>();
  promise.catch(() => {});
  const abort = new AbortController();
  const exchange = new Exchange(caller, abort.signal, limits);
  const closed: string[] = [];
  const connection = (name: string) => ({
    ...{ pause() {}, resume() {} },
    close: ({ message }: Error) => void closed.push(`${name}: ${message}`),
  });
  exchange.connected(connection("first"));
  const left = () => [vi.getTimerCount(), getEventListeners(abort.signal, "abort").length];
  return { exchange, response: promise, abort, connection, closed, left };
}

describe("nothing stays of a request", () => {
  test.each<[string, (of: ReturnType<typeof exchangeOf>) => unknown]>([
    ["whose answer ended", ({ exchange }) => exchange.end()],
    ["whose answer broke off", ({ exchange }) => exchange.fail(new Error("cut"))],
    ["that was stopped", ({ abort }) => abort.abort()],
    ["whose answer is not wanted", async ({ response }) => (await response).body?.cancel()],
  ])("%s", async (_what, end) => {
    const of = exchangeOf();
    expect(of.left()).toEqual([1, 1]);
    of.exchange.answered(head);
    await of.response;
    of.exchange.put(Buffer.from("a"));
    expect(of.left()).toEqual([1, 1]);
    await end(of);
    expect(of.left()).toEqual([0, 0]);
  });

  test("that failed, or was stopped, before it was answered", async () => {
    const failed = exchangeOf();
    failed.exchange.fail(new Error("refused"));
    await expect(failed.response).rejects.toThrow("refused");
    const stopped = exchangeOf();
    stopped.abort.abort(new Error("enough"));
    await expect(stopped.response).rejects.toThrow("enough");
    expect([failed.left(), stopped.left()]).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });
});

describe("a request that was stopped", () => {
  test("closes its connection, and each that a redirect brings later", () => {
    const { exchange, abort, connection, closed } = exchangeOf();
    abort.abort(new Error("enough"));
    expect(closed).toEqual(["first: enough"]);
    exchange.connected(connection("second"));
    expect(closed).toEqual(["first: enough", "second: enough"]);
  });

  test("has no answer any more, nor another end", async () => {
    const { exchange, response, abort, closed } = exchangeOf();
    abort.abort("enough");
    exchange.answered(head);
    exchange.put(Buffer.from("a"));
    exchange.fail(new Error("closed"));
    exchange.end();
    await expect(response).rejects.toBe("enough");
    expect(closed).toHaveLength(1);
  });

  test("in the middle of its answer fails it with the reason, at once", async () => {
    const { exchange, response, abort, closed } = exchangeOf();
    exchange.answered(head);
    const reader = (await response).body?.getReader() ?? expect.fail();
    exchange.put(Buffer.from("a"));
    abort.abort(new Error("enough"));
    await expect(reader.read()).rejects.toThrow("enough");
    expect(closed).toEqual(["first: enough"]);
  });
});

test("an answer that ended is closed by nobody", async () => {
  const { exchange, response, abort, closed } = exchangeOf();
  exchange.answered(head);
  exchange.put(Buffer.from("a"));
  exchange.end();
  abort.abort();
  const reader = (await response).body?.getReader() ?? expect.fail();
  expect((await reader.read()).value).toEqual(new Uint8Array([97]));
  await reader.cancel();
  expect(closed).toEqual([]);
});
