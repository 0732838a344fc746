import { expect, test } from "vitest";
import type { OneServer } from "../../src/redis/connection.ts";
import { Notifications } from "../../src/redis/notifications.ts";
import { pass, withOwnClock } from "../support/own-clock.ts";

withOwnClock();

type Receive = (message: string, channel: string) => void;

/** Connections, one after another, each with what it has subscribed to. */
async function setUp() {
  const world = { isReachable: true, subscribes: true };
  const connections: { channels: Map<string, Receive>; break: () => void }[] = [];
  const connect = async () => {
    if (!world.isReachable) throw new Error("not reachable");
    const channels = new Map<string, Receive>();
    const { promise: broken, resolve } = Promise.withResolvers<void>();
    const client = {
      subscribe: async (names: string | string[], receive: Receive) => {
        if (!world.subscribes) throw new Error("refused");
        for (const name of [names].flat()) channels.set(name, receive);
      },
      unsubscribe: async (name: string) => void channels.delete(name),
    };
    connections.push({ channels, break: resolve });
    const [nothing, servers] = [() => {}, [{ ping: async () => {}, destroy: () => {} }]];
    return { client, broken, servers, retire: nothing, destroy: nothing } as unknown as OneServer;
  };
  const notifications = await Notifications.open({ connect });
  const newest = () => connections.at(-1) ?? expect.fail("no connection");
  /** A message on a channel, as far as anybody has subscribed to it. */
  const publish = (channel: string) => newest().channels.get(channel)?.("hello", channel);
  const breaks = async () => {
    newest().break();
    await pass(0);
  };
  return { world, notifications, publish, breaks, channels: () => [...newest().channels.keys()] };
}

test("what is subscribed to is heard again after each reconnect, and what is not any more is not", async () => {
  const { world, notifications, publish, breaks, channels } = await setUp();
  const heard: string[] = [];
  const hear = (channel: string) =>
    notifications.subscribe(channel, (message) => void heard.push(`${channel} ${message}`));
  for (const channel of ["a", "b", "c"]) await hear(channel);
  await notifications.unsubscribe("b");
  expect(channels()).toEqual(["a", "c"]);
  world.isReachable = false;
  await breaks();
  // Left while there is no connection.
  await notifications.unsubscribe("c");
  await expect(hear("d")).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  world.isReachable = true;
  await pass(2_000);
  expect(channels()).toEqual(["a"]);
  for (const channel of ["a", "b", "c", "d"]) publish(channel);
  expect(heard).toEqual(["a hello"]);
  await hear("d");
  publish("d");
  expect(heard).toEqual(["a hello", "d hello"]);
  await notifications[Symbol.asyncDispose]();
});

test("what could not be subscribed to is subscribed to by nobody, then and later", async () => {
  const { world, notifications, breaks, channels } = await setUp();
  world.subscribes = false;
  await expect(notifications.subscribe("a", () => {})).rejects.toThrow("refused");
  world.subscribes = true;
  await notifications.subscribe("b", () => {});
  await breaks();
  await pass(2_000);
  expect(channels()).toEqual(["b"]);
  await notifications[Symbol.asyncDispose]();
});

test("an interruption is counted and told once all is subscribed again, as long as somebody listens", async () => {
  const { world, notifications, breaks, channels } = await setUp();
  const told: string[][] = [];
  const stop = notifications.onInterruption(() => void told.push(channels()));
  // Nobody could have missed anything.
  await breaks();
  await pass(2_000);
  expect([notifications.interruptions, told]).toEqual([0, []]);
  await notifications.subscribe("a", () => {});
  await breaks();
  // Prepared in vain, which is none.
  world.subscribes = false;
  await pass(2_000);
  expect([notifications.ready, notifications.interruptions]).toEqual([false, 0]);
  world.subscribes = true;
  await pass(2_000);
  expect([notifications.ready, notifications.interruptions, told]).toEqual([true, 1, [["a"]]]);
  stop();
  await breaks();
  await pass(2_000);
  expect([notifications.interruptions, told.length]).toEqual([2, 1]);
  await notifications[Symbol.asyncDispose]();
});
