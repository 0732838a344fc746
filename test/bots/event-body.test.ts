/** The stream that a provider's answer is read from, without a connection: what its readers are given, and what the connection and the idle timeout are told. */
import { describe, expect, test } from "vitest";
import { BodyFeed } from "../../src/event-fetch/body-feed.ts";
import { EventBody } from "../../src/event-fetch/event-body.ts";
import type { IdleTimeout } from "../../src/event-fetch/idle-timeout.ts";
import { Events } from "../../src/event-fetch/sse-split.ts";

const event = (text: string) => Buffer.from(`data: ${text}\n\n`);
const textOf = ({ value }: { value?: Uint8Array | undefined }) =>
  value && Buffer.from(value).toString().trim();

function bodyOf() {
  let isCounting = false;
  const closed: string[] = [];
  const idleTimeout: Partial<IdleTimeout> = {
    answerBegun() {},
    resume() {
      isCounting = true;
    },
    pause() {
      isCounting = false;
    },
  };
  const close = ({ message }: Error) => void closed.push(message);
  const feed = new BodyFeed({
    pieces: new Events(),
    connection: { pause() {}, resume() {}, close },
    idleTimeout: idleTimeout as IdleTimeout,
  });
  return { feed, body: new EventBody(feed, true), closed, isCounting: () => isCounting };
}

describe("reads that wait", () => {
  test("are served in their order, each by what comes next, and the last ones by the end", async () => {
    const { feed, body } = bodyOf();
    const reader = body.getReader();
    const reads = [reader.read(), reader.read(), reader.read()];
    feed.put(event("a"));
    expect(textOf((await reads[0]) ?? expect.fail())).toBe("data: a");
    feed.put(event("b"));
    expect(textOf((await reads[1]) ?? expect.fail())).toBe("data: b");
    feed.end();
    expect((await reads[2])?.done).toBe(true);
    await reader.closed;
  });

  test("are the provider's time until their reader is released, and from the next read on", async () => {
    const { feed, body, isCounting } = bodyOf();
    const first = body.getReader();
    expect(isCounting()).toBe(false);
    const read = first.read();
    expect(isCounting()).toBe(true);
    first.releaseLock();
    expect(isCounting()).toBe(false);
    await expect(read).rejects.toThrow(TypeError);
    const second = body.getReader();
    const next = second.read();
    expect(isCounting()).toBe(true);
    feed.put(event("a"));
    expect(isCounting()).toBe(false);
    expect(textOf(await next)).toBe("data: a");
    // Of a reader that waits for nothing, what comes is no read's.
    second.releaseLock();
    feed.put(event("b"));
    expect(textOf(await body.getReader().read())).toBe("data: b");
  });

  test("are failed with what broke the connection, as is the reader", async () => {
    const { feed, body } = bodyOf();
    const reader = body.getReader();
    const reads = [reader.read(), reader.read()];
    feed.fail(new Error("cut"));
    const outcomes = await Promise.allSettled([...reads, reader.closed, reader.read()]);
    expect(outcomes.map((outcome) => String("reason" in outcome && outcome.reason))).toEqual(
      Array.from({ length: 4 }, () => "Error: cut"),
    );
  });
});

describe("a loop over the answer", () => {
  test.each([
    ["closes the connection where it is left", {}, 1],
    ["keeps it where the answer is to be read on", { preventCancel: true }, 0],
  ])("%s", async (_what, options, closings) => {
    const { feed, body, closed } = bodyOf();
    feed.put(Buffer.concat([event("a"), event("b")]));
    for await (const chunk of body.values(options)) {
      expect(textOf({ value: chunk })).toContain("data: a");
      break;
    }
    expect(closed).toHaveLength(closings);
    expect(body.locked).toBe(false);
    feed.put(event("c"));
    feed.end();
    const { done, value } = await body.getReader().read();
    expect([done, textOf({ value })]).toEqual(closings ? [true, undefined] : [false, "data: c"]);
  });

  test("lets go of the stream at the end", async () => {
    const { feed, body, closed } = bodyOf();
    feed.put(event("a"));
    feed.end();
    const texts = [];
    for await (const chunk of body) texts.push(textOf({ value: chunk }));
    expect([texts, body.locked, closed]).toEqual([["data: a"], false, []]);
  });
});

test("a body counts as used from its first read on, whoever reads it", async () => {
  for (const read of [
    (body: EventBody) => void body.getReader().read(),
    (body: EventBody) => void body.takeFeed(),
    (body: EventBody) => void body.cancel(),
  ]) {
    const { body } = bodyOf();
    const response = new Response(body);
    expect(response.bodyUsed).toBe(false);
    read(body);
    expect(response.bodyUsed).toBe(true);
  }
});
