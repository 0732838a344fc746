/** What messages are made of, whom they follow, and what a bot remembers of them. */
import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { message as messageSchema } from "../../src/protocol/conversations.ts";
import type { Part } from "../../src/protocol/parts.ts";
import type { Store } from "../../src/store/store.ts";
import { begin, endingOf, exchange, type StorePlace, storeForEach } from "./store-place.ts";

const odd = '\0 \uD83D 炭 " \\ \u2028';

/** Of each type, with what is odd in JSON. */
function partsWith(text: string): Part[] {
  return [
    { type: "reasoning", text: odd, spanId: "1" },
    { type: "text", text: "Let me see.", final: false, spanId: "1" },
    {
      ...{ type: "tool", name: "search", toolCallId: "call-1", spanId: "2", state: "done" },
      ...{ input: { query: odd }, progress: "10%", output: [null, 1e300, { "": [] }] },
    },
    { type: "source", url: "https://example.com/", title: "A page", quote: odd, spanId: "2" },
    {
      type: "file",
      kind: "image",
      mimeType: "image/png",
      bytes: 3,
      url: "data:image/png;base64,AAAA",
    },
    { type: "data", name: "progress", value: null, origin: "state" },
    { type: "text", text, final: true, spanId: "3" },
  ];
}

async function messagesOf(store: Store, conversationId: string) {
  const { items } = await store.conversations.messages(conversationId, { limit: 100 });
  return items.map((item) => messageSchema.strict().parse(item));
}

export function describeParts(newPlace: () => Promise<StorePlace>): void {
  const current = storeForEach(newPlace);

  test("come back as they were given, of whatever type", async () => {
    const { store } = current;
    const parts = partsWith("An answer.");
    const { conversationId } = await exchange(store, {}, { text: "An answer.", parts });
    const [question, answer] = await messagesOf(store, conversationId);
    expect(question?.parts).toEqual([{ type: "text", text: "Hello?", final: true }]);
    expect(answer?.parts).toStrictEqual(parts);
  });

  test.each<[string, string, Part[]]>([
    ["nothing", "", []],
    ["an empty text", "", [{ type: "text", text: "", final: true }]],
    ["its text alone", "A", [{ type: "text", text: "A", final: true }]],
    ["its text, said by a span", "A", [{ type: "text", text: "A", final: true, spanId: "1" }]],
    ["its text, as a step", "A", [{ type: "text", text: "A", final: false }]],
    ["another text", "A", [{ type: "text", text: "B", final: true }]],
    ["nothing, where there is a text", "A", []],
    ["nothing, where the text is blank", " \n", []],
    ["a blank text", " \n", [{ type: "text", text: " \n", final: true }]],
    ["its text twice", "A", [1, 2].map(() => ({ type: "text", text: "A", final: true }) as const)],
  ])("of %s are no others", async (_what, text, parts) => {
    const { store } = current;
    const { conversationId } = await exchange(store, {}, { text, parts });
    expect((await messagesOf(store, conversationId))[1]).toMatchObject({ text, parts });
  });

  test("show what a typed bot was given, and what it answered", async () => {
    const { store } = current;
    for (const value of [null, { odd: [odd] }, "text", 0, false, []]) {
      const message = JSON.stringify(value);
      const given = { message, input: value };
      const run = await exchange(store, given, { text: "", output: value });
      const { runId, conversationId } = run;
      expect(run).toMatchObject({ input: value, output: value });
      expect(await store.runs.get(runId, "alice")).toEqual(run);
      const [question, answer] = await messagesOf(store, conversationId);
      expect(question).toMatchObject({
        text: message,
        parts: [{ type: "data", name: "input", value, origin: "input" }],
      });
      expect(answer).toMatchObject({ text: "", parts: [], output: value });
    }
    const { conversationId } = await exchange(store);
    for (const item of await messagesOf(store, conversationId)) expect(item.output).toBeUndefined();
  });

  test("a run in progress has what it was given, for whoever ends it", async () => {
    const { store } = current;
    const run = await begin(store, { input: { total: 1 } });
    expect(run.input).toEqual({ total: 1 });
    expect(await store.runs.unfinished()).toEqual([run]);
  });

  test("each message follows the one before it, however many came and went", async () => {
    const { store } = current;
    const conversationId = randomUUID();
    const runs = [];
    for (let index = 0; index < 4; index++) {
      runs.push(await exchange(store, { conversationId }, { status: "failed", text: "" }));
      await exchange(store);
    }
    runs.push(await begin(store, { conversationId }));
    const ids = runs.flatMap(({ runId }) => [`${runId}/human`, `${runId}/ai`]).slice(0, -1);
    const items = await messagesOf(store, conversationId);
    expect(items.map(({ messageId }) => messageId)).toEqual(ids);
    expect(items.map(({ parentId }) => parentId)).toEqual([undefined, ...ids.slice(0, -1)]);
    // Also where the one before is on another page.
    const { items: page } = await store.conversations.messages(conversationId, { limit: 1 });
    expect(page.map(({ parentId }) => parentId)).toEqual(ids.slice(-2, -1));
  });

  test("count to what a page may hold, as do outputs", async () => {
    const { store } = current;
    const conversationId = randomUUID();
    const half = "x".repeat(512 * 1024);
    const parts: Part[] = [{ type: "data", name: "half", value: half, origin: "artifact" }];
    await exchange(store, { conversationId, message: "1" }, { text: "", parts });
    await exchange(store, { conversationId, message: "2" }, { text: "", output: half });
    await exchange(store, { conversationId, message: "3" }, { text: "", parts });
    const sizes: number[] = [];
    const told: (string | undefined)[] = [];
    let cursor: string | undefined;
    do {
      const page = await store.conversations.messages(conversationId, { limit: 100, cursor });
      sizes.push(page.items.length);
      told.unshift(...page.items.map(({ messageId }) => messageId));
      expect(Buffer.byteLength(JSON.stringify(page.items))).toBeLessThan(1024 * 1024);
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    expect(sizes).toEqual([2, 2, 2]);
    expect(new Set(told).size).toBe(6);
  });

  test("a bot remembers its models' messages, the newest first as far as they fit", async () => {
    const { store } = current;
    const conversationId = randomUUID();
    const say = (message: string, modelMessages?: string, text = "A") =>
      exchange(store, { conversationId, message }, { text, modelMessages });
    await say("1", "x".repeat(50));
    await say("2", "y".repeat(50));
    await say("3");
    await say("4", "z".repeat(50), "");
    await say("5", undefined, "");
    const remembered = async (maxModelBytes?: number) => {
      const bounds = { exchanges: 10, maxBytes: 100, maxModelBytes };
      const history = await store.conversations.history(conversationId, bounds);
      const questions = history.filter(({ role }) => role === "human");
      expect(questions.every((entry) => !("modelMessages" in entry))).toBe(true);
      expect(questions.map(({ text }) => text)).toEqual(["1", "2", "3", "4"]);
      const answers = history.filter(({ role }) => role === "ai");
      return answers.map(({ modelMessages }) => modelMessages?.[0]);
    };
    expect(await remembered(150)).toEqual(["x", "y", undefined, "z"]);
    expect(await remembered(149)).toEqual([undefined, "y", undefined, "z"]);
    expect(await remembered()).toEqual([undefined, "y", undefined, "z"]);
    expect(await remembered(49)).toEqual([undefined, undefined, undefined, undefined]);
  });

  test("what models said is nobody's to read but their bot's", async () => {
    const { store } = current;
    const secret = { modelMessages: JSON.stringify(["a secret"]) };
    const run = await exchange(store, {}, secret);
    const { conversationId, runId } = run;
    const read = [
      run,
      await store.runs.get(runId, "alice"),
      await store.runs.endedBetween(conversationId, 0, 10),
      await messagesOf(store, conversationId),
    ];
    expect(JSON.stringify(read)).not.toContain("secret");
  });

  test("an ending that comes second adds nothing, and takes nothing away", async () => {
    const { store } = current;
    const run = await begin(store);
    const parts = partsWith("A");
    const first = endingOf(run, { text: "A", parts, output: { first: true } });
    await store.runs.finish(first);
    const others = [
      first,
      endingOf(run, { text: "B", parts: partsWith("B"), output: { first: false }, endSeq: 99 }),
      { ...first, parts: [], output: undefined },
    ];
    for (const other of others) await store.runs.finish(other);
    const [, answer] = await messagesOf(store, run.conversationId);
    expect(answer).toMatchObject({ text: "A", parts, output: { first: true } });
    const bounds = { exchanges: 1, maxBytes: 1_000 };
    const [, remembered] = await store.conversations.history(run.conversationId, bounds);
    expect(remembered).toEqual({ role: "ai", text: "A" });
  });

  test("the same ending, told again by who knows more of it, is completed, unless it was emptied", async () => {
    const { store } = current;
    const archive = { events: new Uint8Array([1, 2, 3]), rawBytes: 9 };
    const whole = { text: "A", parts: partsWith("A"), modelMessages: "[]", archive };
    const [told, emptied] = [await begin(store), await begin(store)];
    const bounds = { exchanges: 1, maxBytes: 1_000 };
    for (const run of [told, emptied]) {
      const ending = endingOf(run, whole);
      const { parts: _, modelMessages: _models, archive: _events, ...bare } = ending;
      await store.runs.finish(bare);
      if (run === emptied) await store.administration.redact(run.runId);
      for (let again = 0; again < 2; again++) {
        expect(await store.runs.finish(ending)).toMatchObject({ finished: true });
      }
    }
    expect((await messagesOf(store, told.conversationId))[1]).toMatchObject({ parts: whole.parts });
    expect(await store.conversations.history(told.conversationId, bounds)).toMatchObject([
      { role: "human" },
      { role: "ai", modelMessages: "[]" },
    ]);
    expect(await store.archives.get(told.runId)).toMatchObject([{ rawBytes: 9 }]);
    expect((await messagesOf(store, emptied.conversationId))[1]?.parts).toEqual([]);
    expect(await store.conversations.history(emptied.conversationId, bounds)).toEqual([]);
    expect(await store.archives.get(emptied.runId)).toEqual([]);
  });
}
