/** What pulls an answer from another fetch's stream: how far it reads ahead, and how it ends. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { Pump } from "../../src/event-fetch/pump.ts";

/** A source that gives "1", "2", … up to a last one, as soon as it is asked. */
function pumpOf(last: number, atEnd: () => { value?: Uint8Array } = () => ({})) {
  const told: string[] = [];
  let asked = 0;
  let returned = 0;
  const pump = new Pump({
    next: async () => (++asked > last ? atEnd() : { value: Buffer.from(String(asked)) }),
    return: async () => {
      returned += 1;
      throw new Error("closed");
    },
  });
  const run = () =>
    pump.run({
      put: (read) => {
        told.push(read.toString());
        if (told.length === 2) pump.pause();
      },
      end: () => void told.push("end"),
      fail: (error) => void told.push(String(error)),
    });
  return { pump, run, told, asked: () => asked, returned: () => returned };
}

describe("a pump that is paused", () => {
  test("asks for nothing more until it goes on", async () => {
    const { pump, run, told, asked } = pumpOf(4);
    const running = run();
    await nextTurn();
    expect([told, asked()]).toEqual([["1", "2"], 2]);
    pump.resume();
    await running;
    expect(told).toEqual(["1", "2", "3", "4", "end"]);
  });

  test("and closed ends, and tells nothing more", async () => {
    const { pump, run, told, returned } = pumpOf(4);
    const running = run();
    await nextTurn();
    pump.close();
    await running;
    expect([told, returned()]).toEqual([["1", "2"], 1]);
  });
});

test("a source that breaks off fails the answer", async () => {
  const { run, told } = pumpOf(1, () => {
    throw new Error("cut");
  });
  await run();
  expect(told).toEqual(["1", "Error: cut"]);
});

test.each([
  ["gives", () => ({ value: Buffer.from("late") })],
  ["ends", () => ({})],
  ["fails", () => expect.fail("late")],
])("a source that %s after it was closed tells nothing more", async (_what, late) => {
  const { pump, run, told } = pumpOf(1, () => {
    pump.close();
    return late();
  });
  await run();
  expect(told).toEqual(["1"]);
});
