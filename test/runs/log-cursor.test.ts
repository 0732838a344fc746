/** What a reader holds: a position, and no more than it is about to be given. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { LogEntry } from "../../src/log/entry.ts";
import { LogCursor } from "../../src/runs/following/log-cursor.ts";
import { FollowerWorld } from "./follower-world.ts";

const kibibyte = 1024;
const tokenOf = (seq: number, text: string) =>
  LogEntry.of(seq, { type: "token", runId: "r", spanId: "s", text });

test("neighbouring tokens are merged up to 16 KiB, and no text is lost", () => {
  const entries = Array.from({ length: 100 }, (_, at) =>
    tokenOf(at + 1, `${at},`.padEnd(kibibyte, "x")),
  );
  const cursor = new LogCursor(0, {});
  cursor.load(entries);
  let json = "";
  let taken = 0;
  for (let entry = cursor.take(); entry !== undefined; entry = cursor.take()) {
    expect(entry.bytes).toBeLessThanOrEqual(16 * kibibyte);
    json += entry.event.type === "token" ? entry.event.text : "";
    taken += 1;
  }
  expect(taken).toBeLessThanOrEqual(8);
  expect(json).toBe(entries.map(({ event }) => event.type === "token" && event.text).join(""));
});

test("an entry that is longer than that comes by itself", () => {
  const cursor = new LogCursor(0, {});
  cursor.load([tokenOf(1, "a"), tokenOf(2, "b".repeat(20 * kibibyte)), tokenOf(3, "c")]);
  const seqs = [cursor.take(), cursor.take(), cursor.take()].map((entry) => entry?.seq);
  expect(seqs).toEqual([1, 2, 3]);
});

test("a cursor that has given out what was read holds none of it", async () => {
  setFlagsFromString("--expose-gc");
  const gc: () => void = runInNewContext("gc");
  const cursor = new LogCursor(0, {});
  const held = (() => {
    const entry = tokenOf(1, "x".repeat(kibibyte));
    cursor.load([entry]);
    cursor.take();
    cursor.take();
    return new WeakRef(entry);
  })();
  // A WeakRef is kept to the end of the turn that made it.
  await new Promise((resolve) => setImmediate(resolve));
  gc();
  expect(held.deref()).toBeUndefined();
  expect(cursor.position).toBe(1);
});

test("a reader whose socket takes nothing lets go of what was read, and reads it again", async () => {
  const world = new FollowerWorld(false);
  world.room = 2;
  world.append("custom", 4);
  const { got, follower } = await world.read({ position: 0, onlyEnds: false, pushed: true });
  expect(got.map(({ seq }) => seq)).toEqual([1, 2]);
  const asked = world.asked.length;
  world.drain(100);
  await new Promise((resolve) => setImmediate(resolve));
  expect(got.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
  expect(world.asked[asked]).toBe(2);
  await follower.return();
});
