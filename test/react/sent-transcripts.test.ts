/** What becomes of a message that a chat sends, and of the run that it is given to. By the clock of a test. */
import { describe, expect, test } from "vitest";
import type { Message } from "../../client/src/types.ts";
import { wait } from "../client/scripted-link.ts";
import {
  busy,
  drawn,
  errorOf,
  exchange,
  openedChat,
  quiet,
  startOf,
  tokenOf,
} from "./scripted-chat.ts";

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

  test("is refused with its client's end", async () => {
    const setting = openedChat();
    const { chat, seen } = setting;
    chat.send("Hi").catch(quiet);
    setting.run.closes();
    await drawn();
    expect(seen()).toBe("<loading> | human refused: Hi | (CLOSED)");
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
