/** How a subscription ends, and what it says of its connection: without a socket. */
import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { closedError, LangwireClientError } from "../../client/src/errors.ts";
import { Subscription } from "../../client/src/subscription.ts";
import { refusalOf, scriptedLink, wait } from "./scripted-link.ts";
import { busy, type Case, end, gone, lost, open, playEach, token } from "./subscription-cases.ts";

const ends: readonly Case[] = [
  {
    name: "stopped, it leaves, needs no connection, and nothing wakes it",
    own: true,
    play: async (it) => {
      it.client.stop();
      it.say(it.connection.needed ? "needed" : "not needed");
      it.client.stop();
      it.client.resume();
      it.client.detach();
      it.server.event(1, token);
      it.server.fails(lost);
      await wait(1_000);
    },
    says: ["0 asks behind nothing", "0 leaves", "0 is gone", "0 not needed"],
  },
  {
    name: "detached or failed, it says so once",
    play: async (it) => {
      it.client.detach();
      it.client.detach();
      it.client.fail(new LangwireClientError({ ...gone, message: "" }));
      await wait(1_000);
    },
    says: ["0 asks behind nothing", "0 leaves", "0 fails CLOSED"],
  },
  {
    name: "in the middle of a wait, it ends as well, and asks no more",
    play: async (it) => {
      it.server.fails(lost);
      await wait(10);
      it.connection.giveUp(closedError());
      await wait(1_000);
    },
    says: ["0 asks behind nothing", "0 leaves", "10 fails CLOSED"],
  },
  {
    name: "of a closed client, an attempt is a failure",
    play: async (it) => {
      it.server.fails(lost);
      it.connection.change("closed");
      await wait(1_000);
    },
    says: ["0 asks behind nothing", "0 leaves", "50 fails CLOSED"],
  },
  {
    name: "what it is told while it still subscribes counts: it leaves behind it",
    onAsk: (asked) => asked.refuses(gone),
    play: () => wait(1_000),
    says: ["0 asks behind nothing", "0 fails NOT_FOUND", "0 leaves"],
  },
  {
    name: "stopped by what it tells, it leaves, and says no more",
    play: async (it) => {
      const { say, subscribe, transport, connection } = it;
      const own: Subscription = new Subscription({
        transport,
        connection,
        input: {},
        subscribe,
        onEvent: () => own.stop(),
        onFailure: () => say("fails"),
      });
      it.server.received();
      it.server.begins("0");
      it.server.event(1, end);
      it.server.completes();
      await wait(1_000);
    },
    says: ["0 asks behind nothing", "0 asks behind nothing", "0 leaves"],
  },
  {
    name: "once replaced, the one before is heard no more",
    own: true,
    play: async (it) => {
      const { server: before } = it;
      it.client.resume();
      before.received();
      before.begins("3");
      before.event(4, token);
      before.fails(lost);
      before.refuses(gone);
      before.completes();
      before.changes({ state: "pending", error: null });
      await wait(1_000);
    },
    says: ["0 asks behind nothing", "0 leaves", "0 asks behind nothing"],
  },
];

const states: readonly Case[] = [
  {
    name: "each change is reported, and that it is gone",
    own: true,
    play: async (it) => {
      it.server.changes({ state: "connecting", error: null });
      it.server.changes({ state: "pending", error: null });
      it.server.begins("1");
      it.server.completes();
      await wait(50);
      it.client.stop();
    },
    says: [
      "0 asks behind nothing",
      "0 is connecting",
      "0 is pending",
      "0 started",
      "0 leaves",
      "0 is connecting",
      "50 asks behind 0",
      "50 leaves",
      "50 is gone",
    ],
  },
  {
    name: "what is told as a state that carries a refusal is a refusal; what is lost, tRPC opens anew",
    own: true,
    play: async (it) => {
      it.server.changes({ state: "connecting", error: lost });
      await wait(1_000);
      it.server.changes({ state: "connecting", error: refusalOf(gone) });
      await wait(1_000);
    },
    says: [
      "0 asks behind nothing",
      "0 is connecting",
      "1000 is connecting",
      "1000 leaves",
      "1000 is connecting NOT_FOUND",
      "1000 is gone",
      "1000 fails NOT_FOUND",
    ],
  },
  {
    name: "of a connection that is shared, they are the connection's alone",
    play: async (it) => {
      it.server.changes({ state: "connecting", error: refusalOf(gone) });
      await wait(1_000);
    },
    says: ["0 asks behind nothing"],
  },
  {
    name: "a retry tells why",
    own: true,
    play: async (it) => {
      it.server.event(1, token);
      it.server.refuses(busy);
      await wait(50);
    },
    says: [
      "0 asks behind nothing",
      "0 tells 1",
      "0 leaves",
      ...["0 is connecting OVERLOADED", "0 is connecting OVERLOADED", "50 asks behind 1"],
    ],
  },
];

playEach("ends", ends);
playEach("states", states);

describe("a signal", () => {
  test("ends it, and holds it no longer than it lasts", () => {
    const link = scriptedLink();
    const ended = new AbortController();
    open(link, { signal: ended.signal });
    ended.abort();
    expect(link.transcript).toEqual(["0 asks behind nothing", "0 leaves", "0 fails CLOSED"]);
    expect(getEventListeners(ended.signal, "abort")).toHaveLength(0);
    const { signal } = new AbortController();
    const client = open(link, { signal });
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    client.stop();
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });

  test("that was given too late asks nothing at all", () => {
    const link = scriptedLink();
    open(link, { signal: AbortSignal.abort() });
    expect(link.transcript).toEqual(["0 fails CLOSED"]);
    expect(link.connection.needed).toBe(false);
  });
});

test("a new one makes a connection that was given up one that may be tried", () => {
  const link = scriptedLink();
  link.connection.givenUp = closedError();
  open(link);
  expect(link.connection.givenUp).toBeUndefined();
});
