/** What a watch hands on, keeps and leaves on the server: without a socket. */
import { describe, expect, test } from "vitest";
import type { ChatEvent } from "../../client/src/types.ts";
import { Watch } from "../../client/src/watch.ts";
import { now, parts, scriptedLink, wait } from "./scripted-link.ts";

const runId = "r";
const gone = { code: "NOT_FOUND", retryable: false } as const;
/** Of spans of their own, so that none are joined. */
const one = (seq: number): ChatEvent => ({
  type: "token",
  runId,
  spanId: `${seq}`,
  text: `${seq}`,
});
const piece = (text: string): ChatEvent => ({ type: "token", runId, spanId: "s", text });

function open(options: { lastEventId?: string; signal?: AbortSignal; own?: boolean } = {}) {
  const { lastEventId, own = false, ...more } = options;
  const link = scriptedLink({ own });
  const watch = new Watch({ ...parts(link), ...more, input: { conversationId: "c", lastEventId } });
  const read = async (count: number) => {
    const texts: string[] = [];
    while (texts.length < count) {
      const { value } = await watch.next();
      texts.push(value?.type === "token" ? value.text : String(value?.type));
    }
    return texts;
  };
  return { link, watch, read };
}

test("asks for its conversation, behind the event that was given", () => {
  const { link, watch } = open({ lastEventId: "4" });
  expect(link.server.input).toEqual({ conversationId: "c", lastEventId: "4" });
  expect(watch.lastEventId).toBe("4");
  link.server.begins("9");
  expect(watch.lastEventId).toBe("4");
});

test("has started once the server says so; where it began is its place until an event is read", async () => {
  const { link, watch, read } = open();
  expect(await now(watch.started)).toBe("waits");
  link.server.begins("7");
  expect(await now(watch.started)).toBeUndefined();
  expect(watch.lastEventId).toBe("7");
  link.server.event(8, one(8));
  link.server.event(9, one(9));
  expect(watch.lastEventId).toBe("7");
  await read(1);
  expect(watch.lastEventId).toBe("8");
});

test("hands each event to whoever waits for it, and what waits as one where it is one text", async () => {
  const { link, watch, read } = open();
  const waiting = read(1);
  link.server.event(1, piece("a"));
  expect(await waiting).toEqual(["a"]);
  for (const [index, text] of ["b", "c", "d"].entries()) link.server.event(2 + index, piece(text));
  link.server.event(5, one(5));
  expect(await read(1)).toEqual(["bcd"]);
  expect(watch.lastEventId).toBe("4");
  expect(await read(1)).toEqual(["5"]);
  expect(link.transcript).toEqual(["0 asks behind nothing"]);
});

test("hands on what came before it failed, then fails, each time", async () => {
  const { link, watch, read } = open();
  link.server.event(1, one(1));
  link.server.event(2, one(2));
  link.server.refuses(gone);
  expect(await now(watch.started)).toMatchObject(gone);
  expect(await read(2)).toEqual(["1", "2"]);
  for (let times = 0; times < 2; times++) await expect(watch.next()).rejects.toMatchObject(gone);
});

test("one that waits fails, too, and nobody has to look at `started`", async () => {
  const { link, watch } = open();
  const next = watch.next();
  link.server.refuses(gone);
  await expect(next).rejects.toMatchObject(gone);
});

describe("an end of its reader's", () => {
  const over = { done: true, value: undefined };

  test("by return: nothing is left to read, and nothing is asked any more", async () => {
    const { link, watch } = open();
    link.server.event(1, one(1));
    expect(await watch.return()).toEqual(over);
    expect(await watch.next()).toEqual(over);
    expect(link.transcript).toEqual(["0 asks behind nothing", "0 leaves"]);
    expect(await now(watch.started)).toMatchObject({ code: "CLOSED" });
  });

  test("by its signal: what had come can be read, and then it throws the signal's reason", async () => {
    const controller = new AbortController();
    const { link, watch } = open({ signal: controller.signal });
    link.server.event(1, one(1));
    const reason = new Error("Enough.");
    controller.abort(reason);
    expect(await watch.next()).toEqual({ done: false, value: one(1) });
    const closed = { code: "CLOSED", cause: reason };
    for (let times = 0; times < 2; times++)
      await expect(watch.next()).rejects.toMatchObject(closed);
    expect(await now(watch.started)).toMatchObject(closed);
    expect(link.connection.needed).toBe(false);
  });
});

describe("unread", () => {
  const most = 1_000;

  test("it takes a bounded number, then leaves, and asks behind the last one when all of it was read", async () => {
    const { link, read } = open({ own: true });
    const takes = (from: number, to: number) => {
      for (let seq = from; seq <= to; seq++) link.server.event(seq, one(seq));
    };
    takes(1, most);
    expect(link.transcript).toEqual(["0 asks behind nothing"]);
    takes(most + 1, most + 1);
    const left = ["0 asks behind nothing", "0 leaves", "0 is gone"];
    expect(link.transcript).toEqual(left);
    takes(most + 2, most + 50);
    await read(most);
    await wait(1_000);
    expect(link.transcript).toEqual(left);
    expect(await read(1)).toEqual([`${most + 1}`]);
    const asked = [...left, `1000 asks behind ${most + 1}`];
    expect(link.transcript).toEqual(asked);
    // And the next time, as well; what is read in time leaves nothing.
    link.server.event(most + 2, one(most + 2));
    await read(1);
    expect(link.transcript).toEqual(asked);
    takes(most + 3, 2 * most + 3);
    await read(most + 1);
    expect(link.transcript.slice(asked.length)).toEqual([
      "1000 leaves",
      "1000 is gone",
      `1000 asks behind ${2 * most + 3}`,
    ]);
  });

  test("pieces of one text count as one", () => {
    const { link } = open();
    for (let seq = 1; seq <= 3 * most; seq++) link.server.event(seq, piece("x"));
    expect(link.transcript).toEqual(["0 asks behind nothing"]);
  });

  test("it ends while it has left, and takes nothing up again", async () => {
    const { link, watch, read } = open();
    for (let seq = 1; seq <= most + 1; seq++) link.server.event(seq, one(seq));
    const reading = read(most);
    await reading;
    await watch.return();
    expect(await watch.next()).toEqual({ done: true, value: undefined });
    expect(link.transcript).toEqual(["0 asks behind nothing", "0 leaves"]);
  });
});
