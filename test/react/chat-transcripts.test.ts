/** What a chat asks of its server, when it asks again, and what it shows meanwhile. By the clock of a test. */
import { describe, expect, test } from "vitest";
import { wait } from "../client/scripted-link.ts";
import {
  busy,
  drawn,
  endOf,
  errorOf,
  exchange,
  openedChat,
  quiet,
  scriptedChat,
  startOf,
  tokenOf,
} from "./scripted-chat.ts";

const gone = errorOf("NOT_FOUND");

describe("a conversation that is there", () => {
  test("is watched, and then read, and followed from where it was once somebody looks again", async () => {
    const setting = scriptedChat();
    const { chat, seen, transcript } = setting;
    const leave = chat.subscribe(quiet);
    expect(seen()).toBe("<loading>");
    await wait(10);
    expect(transcript).toEqual(["0 watches behind nothing"]);
    setting.watch.accepts();
    await wait(0);
    setting.watch.is(7, startOf("r", "Hi"));
    setting.watch.is(8, tokenOf("r", "Hel"));
    setting.read.resolve({ items: exchange("before", "Before", "Yes") });
    await drawn();
    const before = "human sent: Before | ai completed: Yes";
    expect(seen()).toBe(`<streaming> | ${before} | human sent: Hi | ai streaming: Hel`);
    leave();
    await wait(5);
    chat.subscribe(quiet);
    setting.watch.accepts();
    await wait(0);
    setting.watch.is(9, tokenOf("r", "lo"));
    await drawn();
    expect(seen()).toBe(`<streaming> | ${before} | human sent: Hi | ai streaming: Hello`);
    setting.read.resolve({ items: exchange("before", "Before", "Yes") });
    setting.watch.is(10, endOf("r", "completed", "Hello!"));
    await drawn();
    expect(seen()).toBe(`<ready> | ${before} | human sent: Hi | ai completed: Hello!`);
    expect(transcript.slice(1)).toEqual([
      ...["10 reads the newest", "30 stops watching", "35 watches behind 8"],
      "35 reads the newest",
    ]);
  });

  test("is watched for as long as anybody looks, and tells nobody who does not", async () => {
    const setting = openedChat();
    const { chat, transcript } = setting;
    const told: string[] = [];
    const [one, two] = ["one", "two"].map((name) => chat.subscribe(() => void told.push(name)));
    setting.leave();
    one?.();
    // As React's strict mode does.
    two?.();
    const three = chat.subscribe(() => void told.push("three"));
    await wait(10);
    chat.send("Hi").catch(quiet);
    expect(told).toEqual(["three"]);
    expect(transcript.filter((line) => line.includes("watch"))).toEqual([
      "0 watches behind nothing",
    ]);
    three();
    await wait(10);
    expect(transcript.at(-1)).toMatch(/stops watching$/);
  });

  test("whose watch is refused for the moment is watched when it may be", async () => {
    const setting = openedChat();
    const { chat, seen, transcript, watch: first } = setting;
    first.accepts();
    await wait(0);
    setting.read.resolve({ items: exchange("r", "Hi", "Hello") });
    await drawn();
    transcript.length = 0;
    first.fails(busy(1_000));
    await drawn();
    expect(seen()).toBe("<ready> | human sent: Hi | ai completed: Hello | (OVERLOADED)");
    await wait(1_230);
    expect(transcript).toEqual(["1270 watches behind nothing"]);
    setting.watch.accepts();
    await drawn();
    expect(seen()).toBe("<ready> | human sent: Hi | ai completed: Hello");
    expect(chat.getState().error).toBeUndefined();
  });
});

test("a watch that is refused waits longer each time, and not for what it was refused before something came", async () => {
  const setting = openedChat();
  const { transcript } = setting;
  for (const ms of [250, 500, 1_000]) {
    setting.watch.fails(busy());
    await wait(ms);
  }
  setting.watch.accepts();
  await wait(0);
  setting.watch.is(3, startOf("r", "Hi"));
  await wait(0);
  setting.watch.fails(busy());
  await wait(250);
  const watches = transcript.filter((line) => line.includes("watches"));
  expect(watches.map((line) => Number.parseInt(line, 10))).toEqual([0, 250, 750, 1_750, 2_000]);
});

describe("a conversation that has not begun", () => {
  test("is asked for, later each time, until it has, and is ready all the while", async () => {
    const setting = openedChat();
    const { seen, transcript } = setting;
    for (const ms of [250, 500, 1_000, 1_500, 1_500]) {
      setting.watch.fails(gone);
      await drawn();
      expect(seen()).toBe("<ready>");
      await wait(ms - 20);
    }
    const at = [0, 250, 750, 1_750, 3_250, 4_750];
    expect(transcript).toEqual(at.map((ms) => `${ms} watches behind nothing`));
    setting.watch.accepts();
    await wait(0);
    setting.read.resolve({ items: exchange("r", "Hi", "Hello") });
    await drawn();
    expect(seen()).toBe("<ready> | human sent: Hi | ai completed: Hello");
    // Deleted, it is no new one.
    setting.watch.fails(gone);
    await drawn();
    expect(seen()).toBe("<ready> | human sent: Hi | ai completed: Hello | (NOT_FOUND)");
    await wait(10_000);
    expect(transcript.at(-1)).toBe("4750 reads the newest");
  });

  test("is watched from its first message on, as soon as that is accepted", async () => {
    const setting = openedChat();
    const { chat, seen, transcript } = setting;
    setting.watch.fails(gone);
    await wait(10);
    chat.send("Hi").catch(quiet);
    expect(seen()).toBe("<submitted> | human sending: Hi");
    await wait(10);
    setting.run.accepts(5);
    await drawn();
    expect(seen()).toBe("<streaming> | human sent: Hi | ai streaming: ");
    expect(transcript.slice(1)).toEqual([
      "10 sends Hi",
      "20 stops watching",
      "20 watches behind 5",
    ]);
    setting.run.ends();
    setting.watch.accepts();
    await wait(0);
    setting.watch.is(6, endOf(setting.run.id, "completed", "Hello"));
    setting.read.resolve({ items: [] });
    await drawn();
    expect(seen()).toBe("<ready> | human sent: Hi | ai completed: Hello");
  });

  test("is not watched by who does not look", async () => {
    const setting = openedChat();
    setting.watch.fails(gone);
    setting.leave();
    await wait(10);
    setting.chat.send("Hi").catch(quiet);
    setting.run.accepts(5);
    await wait(10_000);
    expect(setting.transcript.slice(1)).toEqual(["0 stops watching", "10 sends Hi"]);
  });
});

describe("the history", () => {
  test("that is refused is read when it may be, or with the next message: by one reader at a time", async () => {
    const setting = openedChat();
    const { chat, seen, transcript } = setting;
    setting.watch.accepts();
    await wait(0);
    setting.read.reject(busy());
    await drawn();
    expect(seen()).toBe("<ready> | (OVERLOADED)");
    await wait(230);
    setting.read.reject(busy());
    await drawn();
    chat.send("Hi").catch(quiet);
    setting.read.reject(busy());
    await wait(5_000);
    const reads = transcript.filter((line) => line.includes("reads"));
    expect(reads).toEqual([0, 250, 270, 520].map((ms) => `${ms} reads the newest`));
    setting.read.resolve({ items: exchange("r", "Before", "Yes") });
    await drawn();
    expect(seen()).toBe("<submitted> | human sent: Before | ai completed: Yes | human sending: Hi");
  });

  test("is not read on for who has gone", async () => {
    const setting = openedChat();
    setting.watch.accepts();
    await wait(0);
    setting.read.reject(busy());
    await wait(10);
    setting.leave();
    await wait(10_000);
    expect(setting.transcript.at(-1)).toBe("10 stops watching");
    expect(setting.reads).toHaveLength(1);
  });

  test("of a run's inside is read once for all who ask, and not for who has gone", async () => {
    const setting = openedChat({ initialMessages: exchange("r", "Hi", "Hello") });
    for (let times = 0; times < 2; times++) setting.chat.loadTrace("r").catch(quiet);
    setting.chat.loadTrace("r").catch(quiet);
    await wait(0);
    expect(setting.traces).toHaveLength(1);
    setting.leave();
    await wait(10);
    expect(setting.traces[0]?.signal?.aborted).toBe(true);
  });
});

test("what is on its way, and what is over, is not lost with what is being made", async () => {
  const setting = openedChat();
  const { chat, seen, watch } = setting;
  watch.accepts();
  await wait(0);
  setting.read.resolve({ items: [] });
  for (const [id, event] of [startOf("a", "One"), endOf("a", "completed", "Yes")].entries()) {
    watch.is(id + 1, event);
  }
  watch.is(3, startOf("b", "Two"));
  chat.send("Three").catch(quiet);
  await drawn();
  watch.fails(errorOf("UNAUTHORIZED"));
  await drawn();
  const over = "human sent: One | ai completed: Yes";
  expect(seen()).toBe(
    `<submitted> | ${over} | human sent: Two | ai failed:  | human sending: Three | (UNAUTHORIZED)`,
  );
  chat.subscribe(quiet);
  setting.watch.accepts();
  await wait(0);
  // A server that lost its last moments tells them once more.
  setting.watch.is(2, tokenOf("a", "No"));
  setting.watch.is(4, tokenOf("b", "Well"));
  setting.run.accepts(5);
  await drawn();
  expect(seen()).toBe(
    `<streaming> | ${over} | human sent: Two | ai streaming: Well | human sent: Three | ai streaming: `,
  );
  // Of two that are being made, the newest.
  void chat.stop();
  expect(setting.transcript.at(-1)).toMatch(/cancels Three on its way$/);
});
