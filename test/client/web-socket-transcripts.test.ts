/** What a client does with its WebSocket: what it opens, when, and how long it keeps it. Without a network. */
import { describe, expect, test, vi } from "vitest";
import { type ClientOptions, createClient } from "../../client/src/index.ts";
import { now, wait } from "./scripted-link.ts";
import { scriptedPlatform } from "./scripted-socket.ts";
import { scriptedPage, scriptedTime } from "./scripted-time.ts";

/** A client on a scripted platform. Waits are half of their bound: 50 ms, 100, 200 … 500. */
function setUp(options: Partial<ClientOptions> = {}) {
  const { transcript, say: said } = scriptedTime();
  const page = scriptedPage();
  const fetch = vi.fn((_url: string) => Promise.reject(new TypeError("fetch failed")));
  vi.stubGlobal("fetch", fetch);
  const say = (line: string) => {
    const [, frame] = /^sends (\{.*)/.exec(line) ?? [];
    const { method, params } = JSON.parse(frame ?? "{}");
    const behind = params?.lastEventId === undefined ? "" : ` behind ${params.lastEventId}`;
    said(frame === undefined ? line : `asks ${params?.path ?? method}${behind}`);
  };
  const { WebSocket, base } = scriptedPlatform(say);
  const client = createClient({
    url: "ws://host/trpc",
    ...{
      WebSocket,
      backoff: { baseMs: 100, maxMs: 1_000 },
      idleMs: 1_000,
      connectTimeoutMs: 2_000,
    },
    ...options,
  });
  client.connection.subscribe(({ state, error }) => said(`is ${state} ${error?.code ?? ""}`));
  const is = (message: object) => base.is("message", { data: JSON.stringify(message) });
  /** The server answers the call of that number, counted from 1. */
  const answers = (id: number) => is({ id, result: { data: { json: [] } } });
  /** Attempts that all fail, the last of them now: the next is half a second away. */
  const fails = async (times: number) => {
    for (let time = 0; time < times; time++) {
      await wait(time === 0 ? 0 : 500);
      base.is("close", { code: 1006 });
    }
    await wait(0);
    transcript.length = 0;
  };
  const wake = () => page.dispatchEvent(new Event("online"));
  return { client, base, is, answers, fails, wake, transcript, fetch };
}

test.each([
  ["ws://host/trpc", "ws://host/trpc?chunks=1", "http://host/trpc/bots.list"],
  ["wss://host/trpc//", "wss://host/trpc?chunks=1", "https://host/trpc/bots.list"],
  ["https://host/trpc/", "wss://host/trpc?chunks=1", "https://host/trpc/bots.list"],
  ["ws://host/trpc?tenant=a", "ws://host/trpc?tenant=a&chunks=1", undefined],
])("the address %s", async (url, opened, asked) => {
  const { client, base, transcript, fetch } = setUp({ url });
  client.bots.list().catch(() => {});
  await wait(0);
  expect(transcript).toContain(`0 opens ${opened}`);
  base.is("close", { code: 1006 });
  if (asked !== undefined) expect(fetch.mock.calls[0]?.[0]).toBe(asked);
});

describe("a socket", () => {
  test("that is open is used again, and closed once nothing has needed it for a while", async () => {
    const { client, base, answers, transcript } = setUp();
    const first = client.bots.list();
    await wait(0);
    base.is("open");
    await wait(0);
    answers(1);
    expect(await now(first)).toEqual([]);
    await wait(900);
    const second = client.bots.list();
    await wait(0);
    answers(2);
    expect(await now(second)).toEqual([]);
    await wait(3_000);
    const opening = ["0 is connecting", "0 opens ws://host/trpc?chunks=1", "0 is open"];
    const asked = ["0 asks bots.list", "900 asks bots.list"];
    expect(transcript.slice(0, 5)).toEqual([...opening, ...asked]);
    expect(transcript.filter((line) => line.includes("opens"))).toHaveLength(1);
    expect(transcript.filter((line) => /closes|is idle/.test(line))).toEqual([
      "1900 closes",
      "1900 is idle",
    ]);
  });

  test("that the server closes while nothing needs it is no longer shown as open, nor replaced", async () => {
    const { client, base, answers, transcript } = setUp();
    const list = client.bots.list();
    await wait(0);
    base.is("open");
    await wait(0);
    answers(1);
    expect(await now(list)).toEqual([]);
    transcript.length = 0;
    base.is("close", { code: 1001 });
    await wait(10_000);
    expect(transcript).toEqual(["0 is idle"]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("that nothing needs any more is not waited for", async () => {
    const { client, transcript } = setUp();
    const stop = new AbortController();
    client.bots.list({ signal: stop.signal }).catch(() => {});
    await wait(10);
    stop.abort();
    await wait(5_000);
    expect(transcript.slice(2)).toEqual(["10 closes", "10 is idle"]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("that is lost is opened again, with what is under way, and told", async () => {
    const { client, base, answers, transcript } = setUp();
    const watch = client.watch({ conversationId: crypto.randomUUID() });
    watch.started.catch(() => {});
    await wait(0);
    base.is("open");
    await wait(0);
    base.is("close", { code: 1006 });
    await wait(50);
    base.is("open");
    await wait(0);
    answers(1);
    expect(transcript).toEqual([
      ...["0 is connecting", "0 opens ws://host/trpc?chunks=1", "0 is open"],
      ...["0 asks chat.watch", "0 is connecting UNREACHABLE"],
      ...["50 opens ws://host/trpc?chunks=1", "50 is open", "50 asks chat.watch"],
    ]);
    await client.close();
  });
});

describe("the wait for the next socket", () => {
  test("is shortened by what newly needs it, and ended by a page that is back", async () => {
    const { client, fails, wake, transcript } = setUp();
    client.bots.list().catch(() => {});
    await fails(6);
    client.bots.list().catch(() => {});
    await wait(49);
    expect(transcript).toEqual([]);
    await wait(1);
    expect(transcript).toHaveLength(1);
    await fails(1);
    wake();
    await wait(0);
    expect(transcript).toHaveLength(1);
  });

  test("keeps no program that has given up, whether by its signal or by closing", async () => {
    for (const by of ["signal", "close"]) {
      const { client, fails, transcript } = setUp({ backoff: { baseMs: 1_000, maxMs: 1_000 } });
      const stop = new AbortController();
      const list = client.bots.list({ signal: stop.signal });
      await fails(2);
      await wait(10);
      if (by === "signal") stop.abort();
      else await client.close();
      expect(await now(list)).toMatchObject({ code: "CLOSED" });
      await wait(1);
      expect([by, vi.getTimerCount()]).toEqual([by, 0]);
      await wait(5_000);
      expect(transcript.filter((line) => line.includes("opens"))).toEqual([]);
    }
  });
});

describe("what is followed", () => {
  test("has no event of the place where it begins, and goes on from there", async () => {
    const { client, base, is, transcript } = setUp();
    const conversationId = crypto.randomUUID();
    const watch = client.watch({ conversationId });
    await wait(0);
    base.is("open");
    await wait(0);
    is({ id: 1, result: { type: "started", id: "5" } });
    await watch.started;
    const first = watch[Symbol.asyncIterator]().next();
    expect([await now(first), watch.lastEventId]).toEqual(["waits", "5"]);
    base.is("close", { code: 1006 });
    await wait(50);
    base.is("open");
    await wait(0);
    expect(transcript.at(-1)).toBe("50 asks chat.watch behind 5");
    const event = { type: "token", runId: "r", spanId: "s", text: "x" };
    is({ id: 1, result: { type: "started", id: "5" } });
    is({ id: 1, result: { type: "data", id: "6", data: { json: { id: "6", data: event } } } });
    expect([await now(first), watch.lastEventId]).toEqual([{ done: false, value: event }, "6"]);
    await client.close();
  });

  test.each([
    ["of a call is that call's alone", 2, ["call UNAUTHORIZED"]],
    ["of nobody's is the whole connection's", null, ["call UNAUTHORIZED", "watch UNAUTHORIZED"]],
  ])("goes on where a refusal is another's: one %s", async (_whose, id, failed) => {
    const { client, base, is } = setUp();
    const told: string[] = [];
    const tell = (name: string, outcome: Promise<unknown>) =>
      outcome.catch(({ code }) => void told.push(`${name} ${code}`));
    const watch = client.watch({ conversationId: crypto.randomUUID() });
    await wait(0);
    base.is("open");
    await wait(0);
    is({ id: 1, result: { type: "started", id: "5" } });
    tell("watch", watch[Symbol.asyncIterator]().next());
    tell("call", client.bots.list());
    await wait(0);
    const langwire = { code: "UNAUTHORIZED", message: "No.", retryable: false };
    is({ id, error: { json: { message: "No.", code: -32_001, data: { langwire } } } });
    await wait(10_000);
    expect(told.sort()).toEqual(failed);
    await client.close();
  });
});

test("an application that has no token, again and again, is told so, and not asked for ever", async () => {
  const token = vi.fn(() => Promise.reject(new Error("signed out")));
  const { client, base } = setUp({ token });
  const list = client.bots.list();
  list.catch(() => {});
  for (let times = 0; times < 10; times++) {
    await wait(1_000);
    base.is("open");
  }
  expect(await now(list)).toMatchObject({
    code: "UNAUTHORIZED",
    message: "There is no token to show: signed out",
  });
  expect(token).toHaveBeenCalledTimes(4);
  await client.close();
});

test.each([
  ["is asked for", () => {}],
  ["opens", ({ base }: ReturnType<typeof setUp>) => base.is("open")],
])("closing while a socket %s leaves nothing, whatever the server does", async (_when, play) => {
  const setting = setUp();
  const { client, transcript } = setting;
  const list = client.bots.list();
  await wait(0);
  play(setting);
  await wait(0);
  const closed = client.close();
  expect(await now(list)).toMatchObject({ code: "CLOSED" });
  await wait(1_000);
  expect(await now(closed)).toBeUndefined();
  expect(transcript.filter((line) => line.includes("closes")).length).toBeGreaterThan(0);
  expect(transcript.filter((line) => line.includes("opens"))).toHaveLength(1);
  expect(vi.getTimerCount()).toBe(0);
});
