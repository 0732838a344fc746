/** Questions and changes that are asked of the server: how often, until when, and what is left behind. */
import { getEventListeners } from "node:events";
import { describe, expect, test, vi } from "vitest";
import type { Connection } from "../../client/src/connection/connection.ts";
import { createClient, LangwireClientError } from "../../client/src/index.ts";
import { now, refusalOf, wait } from "./scripted-link.ts";
import { scriptedPage, scriptedTime } from "./scripted-time.ts";

const lost = new Error("lost");

/** A client whose every procedure answers what the script says, one after another, and then never. */
function setUp(...script: unknown[]) {
  const { transcript, say } = scriptedTime();
  const page = scriptedPage();
  const signals: (AbortSignal | undefined)[] = [];
  const procedure =
    (name: string) => async (input: unknown, options?: { signal?: AbortSignal }) => {
      say(`${name} ${JSON.stringify(input)}`);
      signals.push(options?.signal);
      const answer = script.shift();
      if (answer instanceof Error) throw answer;
      return await (answer ?? new Promise<never>(() => {}));
    };
  const named = (...names: string[]) =>
    Object.fromEntries(
      names.map((name) => [name, { query: procedure(name), mutate: procedure(name) }]),
    );
  let connection: Connection | undefined;
  const client = createClient({
    url: "ws://x",
    backoff: { baseMs: 100, maxMs: 1_000 },
    transport: (_options, given) => {
      connection = given;
      const trpc = {
        chat: named("cancel"),
        bots: named("list"),
        conversations: named(
          ...["create", "list", "get", "messages", "rename"],
          ...["share", "unshare", "join", "leave", "delete"],
        ),
      };
      return { trpc: trpc as never, acceptsOnStart: true, close: async () => void say("closes") };
    },
  });
  if (connection === undefined) throw new Error("no transport was opened");
  return {
    client,
    connection,
    transcript,
    signals,
    wake: () => page.dispatchEvent(new Event("online")),
  };
}

const conversationId = "c";

test("a question that authentication puts off is asked again when it may be, and not before", async () => {
  const locked = refusalOf({
    ...{ code: "RATE_LIMITED", retryable: true, unheard: true },
    retryAfterMs: 60_000,
  });
  const { client, transcript } = setUp(locked, { items: [] });
  const asked = client.conversations.list();
  await wait(60_000);
  expect(transcript).toHaveLength(1);
  await wait(100);
  await asked;
  expect(transcript).toHaveLength(2);
});

test("a question that nobody answers is asked again, later each time, until somebody does", async () => {
  const away = refusalOf({ code: "AUTH_UNAVAILABLE", retryable: true });
  const { client, connection, transcript } = setUp(lost, away, { items: [] });
  const list = client.conversations.list();
  await wait(1_000);
  expect(await now(list)).toEqual({ items: [] });
  expect(transcript).toEqual(["0 list {}", "50 list {}", "150 list {}"]);
  expect(connection.needed).toBe(false);
  expect(vi.getTimerCount()).toBe(0);
});

test.each([
  ["get", true],
  ["messages", true],
  ["rename", false],
  ["share", false],
  ["unshare", false],
  ["join", false],
  ["leave", false],
  ["delete", false],
] as const)("%s that was lost is asked again: %s", async (name, isQuestion) => {
  const { client, transcript } = setUp(lost, { done: true });
  const call = client.conversations[name]({ conversationId, title: "t" } as never);
  const asked = `${name} {"conversationId":"c","title":"t"}`;
  expect(await now(call)).toMatchObject(isQuestion ? {} : { code: "UNREACHABLE" });
  await wait(1_000);
  expect(transcript).toEqual(isQuestion ? [`0 ${asked}`, `50 ${asked}`] : [`0 ${asked}`]);
  if (isQuestion) expect(await now(call)).toEqual({ done: true });
});

test("a cancel is asked until it is answered: twice is once; so are the bots", async () => {
  const { client, transcript } = setUp(lost, { status: "cancelled" }, lost, []);
  const cancelled = client.cancel("r");
  await wait(50);
  expect(await now(cancelled)).toBe("cancelled");
  const list = client.bots.list();
  await wait(50);
  expect(await now(list)).toEqual([]);
  const asked = ['0 cancel {"runId":"r"}', '50 cancel {"runId":"r"}'];
  expect(transcript).toEqual([...asked, "50 list undefined", "100 list undefined"]);
});

test("a new conversation has the id that was given, or one of its own", async () => {
  const { client, transcript } = setUp({}, {});
  await client.conversations.create({ botId: "b", conversationId });
  await client.conversations.create({ botId: "b" });
  expect(transcript[0]).toBe('0 create {"conversationId":"c","botId":"b"}');
  expect(transcript[1]).toMatch(/^0 create \{"conversationId":"[\da-f-]{36}","botId":"b"\}$/);
});

test("what is refused is refused, a question as well", async () => {
  const { client, transcript } = setUp(refusalOf({ code: "OVERLOADED", retryable: true }));
  expect(await now(client.bots.list())).toMatchObject({ code: "OVERLOADED" });
  await wait(10_000);
  expect(transcript).toHaveLength(1);
});

describe("a wait for the next attempt", () => {
  test("ends when the network is back", async () => {
    const { client, wake, transcript } = setUp(lost, []);
    const list = client.bots.list();
    wake();
    await wait(10);
    wake();
    expect(await now(list)).toEqual([]);
    expect(transcript).toEqual(["0 list undefined", "10 list undefined"]);
  });

  test.each(["signal", "close"])("ends with the caller's %s", async (by) => {
    const { client, connection, transcript } = setUp(lost);
    const stop = new AbortController();
    const list = client.bots.list({ signal: stop.signal });
    await wait(10);
    if (by === "signal") stop.abort();
    else await client.close();
    expect(await now(list)).toMatchObject({ code: "CLOSED" });
    // It would keep a program that has no more to do.
    expect(vi.getTimerCount()).toBe(0);
    await wait(10_000);
    expect(transcript.filter((line) => line.includes("list"))).toHaveLength(1);
    expect(connection.needed).toBe(false);
    expect(getEventListeners(stop.signal, "abort")).toEqual([]);
  });
});

describe("a call under way", () => {
  test.each(["signal", "close", "failed signal"])("ends with the caller's %s", async (by) => {
    const stop = new AbortController();
    const aborted = new Promise((_resolve, reject) => {
      stop.signal.addEventListener("abort", () => reject(lost), { once: true });
    });
    aborted.catch(() => {});
    const { client, transcript } = setUp(by === "failed signal" ? aborted : undefined);
    const list = client.bots.list({ signal: stop.signal });
    await wait(10);
    if (by === "close") await client.close();
    else stop.abort();
    expect(await now(list)).toMatchObject({ code: "CLOSED" });
    expect(transcript.at(-1)).toBe(by === "close" ? "10 closes" : "0 list undefined");
  });

  test("fails for what the connection was given up for; a later one may try again", async () => {
    const { client, connection } = setUp(undefined, lost, []);
    const error = new LangwireClientError({ code: "UNAUTHORIZED", message: "No." });
    const list = client.bots.list();
    connection.giveUp(error);
    expect(await now(list)).toBe(error);
    const again = client.bots.list();
    await wait(50);
    expect(await now(again)).toEqual([]);
  });

  test("that fails because it was given up says why", async () => {
    const failing = Promise.withResolvers<never>();
    const { client, connection } = setUp(failing.promise);
    const error = new LangwireClientError({ code: "UNAUTHORIZED", message: "No." });
    const list = client.bots.list();
    await wait(0);
    connection.givenUp = error;
    failing.reject(lost);
    expect(await now(list)).toBe(error);
  });

  test("listens to its signal no longer than it takes, and holds the connection no longer", async () => {
    const { client, connection, signals } = setUp(
      [],
      refusalOf({ code: "OVERLOADED", retryable: true }),
    );
    const { signal } = new AbortController();
    for (const outcome of ["answered", "refused"]) {
      const call = client.bots.list({ signal });
      expect(connection.needed).toBe(true);
      expect(connection.dependents).toHaveLength(1);
      expect(getEventListeners(signal, "abort")).toHaveLength(1);
      await now(call);
      expect([outcome, connection.needed]).toEqual([outcome, false]);
      expect(getEventListeners(signal, "abort")).toEqual([]);
      // The request itself ends with it, too.
      expect(signals.pop()).toBe(signal);
    }
    client.bots.list().catch(() => {});
    expect(signals).toEqual([undefined]);
  });
});

test.each(["list", "rename"] as const)("a %s whose caller has left asks nothing", async (name) => {
  const { client, connection, transcript } = setUp(lost, {}, {});
  const signal = AbortSignal.abort();
  const call = client.conversations[name]({ conversationId, title: "t" } as never, { signal });
  expect(await now(call)).toMatchObject({ code: "CLOSED" });
  await wait(10_000);
  expect([transcript, connection.needed, vi.getTimerCount()]).toEqual([[], false, 0]);
});

test("a client that was closed asks nothing", async () => {
  const { client, transcript } = setUp();
  await client[Symbol.asyncDispose]();
  expect(client.connection.state).toBe("closed");
  const calls = [client.bots.list(), client.conversations.create({ botId: "b" })];
  const closed = expect.objectContaining({ code: "CLOSED" });
  expect(await Promise.all(calls.map(now))).toEqual([closed, closed]);
  expect(transcript).toEqual(["0 closes"]);
});
