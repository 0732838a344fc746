/** What a chat asks of its server, when it asks again, and what it shows meanwhile. By the clock of a test. */
import { describe, expect, test } from "vitest";
import type { Message } from "../../client/src/types.ts";
import { wait } from "../client/scripted-link.ts";
import { busy, endOf, errorOf, exchange, scriptedChat, startOf, tokenOf } from "./scripted-chat.ts";

const quiet = () => {};
const gone = errorOf("NOT_FOUND");
/** Changes are drawn in the next frame. */
const drawn = () => wait(20);

/** One that somebody looks at. */
function openedChat(options: Parameters<typeof scriptedChat>[0] = {}) {
  const setting = scriptedChat(options);
  return Object.assign(setting, { leave: setting.chat.subscribe(quiet) });
}

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

describe("what was sent", () => {
  test("is sent again as it was, the newest alone; what was refused goes from the list", async () => {
    const setting = openedChat({ initialMessages: exchange("r", "First", "Yes") });
    const { chat, seen, transcript } = setting;
    const again = () => void chat.regenerate()?.catch(quiet);
    chat.send({ n: 1 }).catch(quiet);
    setting.run.refuses(busy());
    await drawn();
    const first = "human sent: First | ai completed: Yes";
    expect(seen()).toBe(`<ready> | ${first} | human refused: {"n":1} | (OVERLOADED)`);
    again();
    expect(seen()).toBe(`<submitted> | ${first} | human sending: {"n":1}`);
    setting.run.refuses(busy());
    await drawn();
    chat.send("Second").catch(quiet);
    setting.run.accepts(9);
    await drawn();
    again();
    expect(
      transcript.filter((line) => line.includes("sends")).map((line) => line.split("sends ")[1]),
    ).toEqual(['the input {"n":1}', 'the input {"n":1}', "Second", "Second"]);
    // The watch brings the rest: what is sent would come twice.
    expect(setting.runs.map(({ input }) => input.only)).toEqual(Array(4).fill(["runStart"]));
  });

  test("to a typed bot is sent again as it was, also where the history has it", async () => {
    const [human, ai] = exchange("r", '{"n":1}', "Yes") as [Message, Message];
    const given = { type: "data", name: "input", origin: "input", value: { n: 1 } };
    const initialMessages = [{ ...human, parts: [given] } as Message, ai];
    const { chat, transcript } = openedChat({ initialMessages });
    expect(chat.getState().messages[0]).toMatchObject({ role: "human", input: { n: 1 } });
    chat.regenerate()?.catch(quiet);
    expect(transcript.at(-1)).toBe('0 sends the input {"n":1}');
  });

  test("and refused stands behind what keeps the whole conversation from being read", async () => {
    const setting = openedChat();
    const { chat, seen } = setting;
    setting.watch.accepts();
    await wait(0);
    chat.send("Hi").catch(quiet);
    setting.run.refuses(errorOf("BAD_INPUT"));
    await drawn();
    expect(seen()).toBe("<loading> | human refused: Hi | (BAD_INPUT)");
    setting.read.reject(busy());
    await drawn();
    expect(seen()).toBe("<ready> | human refused: Hi | (OVERLOADED)");
    await wait(230);
    setting.read.resolve({ items: [] });
    await drawn();
    expect(seen()).toBe("<ready> | human refused: Hi | (BAD_INPUT)");
  });

  test("is stopped on its way, or where it runs; that it was not is said until it is", async () => {
    const setting = openedChat();
    const { chat, seen, transcript, cancels } = setting;
    await chat.stop();
    setting.watch.accepts();
    await wait(0);
    setting.read.resolve({ items: [] });
    chat.send("Hi").catch(quiet);
    await chat.stop();
    expect(transcript.slice(2)).toEqual(["0 sends Hi", "0 cancels Hi on its way"]);
    const { id } = setting.run;
    setting.watch.is(3, startOf(id, "Hi"));
    setting.run.accepts(3);
    setting.run.ends();
    await drawn();
    void chat.stop();
    expect(transcript.at(-1)).toBe(`20 cancels ${id}`);
    cancels[0]?.reject(busy());
    await drawn();
    expect(seen()).toBe("<streaming> | human sent: Hi | ai streaming:  | (OVERLOADED)");
    void chat.stop();
    cancels[1]?.resolve("cancelled");
    await drawn();
    expect(seen()).toBe("<streaming> | human sent: Hi | ai streaming: ");
  });

  test.each([
    ["may be read no more", errorOf("UNAUTHORIZED"), "UNAUTHORIZED"],
    ["is a closed client's", undefined, "CLOSED"],
  ])(
    "ends for who reads what %s, and is found again by who comes back",
    async (_what, error, code) => {
      const setting = openedChat();
      const { seen, transcript } = setting;
      setting.watch.accepts();
      await wait(0);
      setting.read.resolve({ items: [] });
      setting.watch.is(3, startOf("r", "Hi"));
      setting.watch.is(4, tokenOf("r", "Half"));
      await drawn();
      if (error === undefined) setting.watch.put(undefined);
      else setting.watch.fails(error);
      await drawn();
      expect(seen()).toBe(`<ready> | human sent: Hi | ai failed: Half | (${code})`);
      await wait(10_000);
      expect(transcript).toHaveLength(2);
      if (error === undefined) return;
      setting.chat.subscribe(quiet);
      setting.watch.accepts();
      await wait(0);
      expect(transcript.at(-2)).toMatch(/watches behind 4$/);
      setting.watch.is(5, tokenOf("r", " more"));
      await drawn();
      expect(seen()).toBe("<streaming> | human sent: Hi | ai streaming: Half more");
    },
  );
});
