/** A subscription in the body of a web `Response`: however it ends, nothing of it is left. */
import { setImmediate as turn } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { FetchEventStream } from "../../src/server/fetch/fetch-event-stream.ts";
import { pass, withOwnClock } from "../support/own-clock.ts";

withOwnClock();

const limits = { pingMs: 1_000, maxBacklogBytes: 10, slowReaderMs: 5_000 };
const endless = { position: 0, deliver: () => new Promise<void>(() => {}) };

test.each<[string, (stream: FetchEventStream, finish: () => void) => unknown]>([
  ["its events are over", (_, finish) => finish()],
  ["its events fail", (stream) => stream.fail("{}")],
  ["its reader leaves", (stream) => stream.body.cancel()],
  ["its caller's session ends", (stream) => stream.end()],
  ["its reader takes nothing for too long", () => pass(7_000, 1_000)],
])("when %s, who waits for its reader goes on, and it pings no more", async (_how, end) => {
  const stream = new FetchEventStream(limits);
  const { promise, resolve } = Promise.withResolvers<void>();
  void stream.deliver({ ...endless, deliver: () => promise });
  // What it begins with is more than its backlog may be.
  let goesOn = false;
  void stream.ready()?.then(() => {
    goesOn = true;
  });
  await turn();
  expect([goesOn, vi.getTimerCount()]).toEqual([false, 1]);
  await end(stream, resolve);
  await turn();
  expect([goesOn, stream.signal.aborted, vi.getTimerCount()]).toEqual([true, true, 0]);
  expect(stream.ready()).toBeUndefined();
});
