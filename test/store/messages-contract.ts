import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { type Message, message as messageSchema } from "../../src/protocol/conversations.ts";
import { LangwireError } from "../../src/protocol/errors.ts";
import { begin, exchange, type StorePlace, storeForEach } from "./store-place.ts";

export function describeMessages(newPlace: () => Promise<StorePlace>): void {
  const current = storeForEach(newPlace);
  const usage = { inputTokens: 3, outputTokens: 5, totalTokens: 8, reasoningTokens: 2 };

  test("are what the protocol says", async () => {
    const { store } = current;
    const run = await exchange(store, { message: "Why?" }, { text: "Because.", usage });
    const { items } = await store.conversations.messages(run.conversationId, { limit: 10 });
    expect(items.map((item) => messageSchema.strict().parse(item))).toEqual([
      {
        messageId: `${run.runId}/human`,
        position: 1,
        runId: run.runId,
        role: "human",
        text: "Why?",
        parts: [{ type: "text", text: "Why?", final: true }],
        userId: "alice",
        at: run.startedAt,
      },
      {
        messageId: `${run.runId}/ai`,
        parentId: `${run.runId}/human`,
        position: run.endSeq,
        runId: run.runId,
        role: "ai",
        text: "Because.",
        parts: [{ type: "text", text: "Because.", final: true }],
        at: run.endedAt,
        status: "completed",
        usage,
      },
    ]);
  });

  test("say how a run ended that did not complete, also without a text", async () => {
    const { store } = current;
    const error = new LangwireError("MODEL_RATE_LIMIT", { retryAfterMs: 700 }).toFailure();
    const { conversationId } = await exchange(store, {}, { status: "failed", text: "", error });
    await exchange(store, { conversationId }, { status: "cancelled", text: "Half an ans" });
    await begin(store, { conversationId, message: "And now?" });
    const { items } = await store.conversations.messages(conversationId, { limit: 10 });
    expect(items).toMatchObject([
      { role: "human" },
      { role: "ai", text: "", status: "failed", error },
      { role: "human" },
      { role: "ai", text: "Half an ans", status: "cancelled" },
      { role: "human", text: "And now?" },
    ]);
  });

  test("come in pages, the newest first, each in reading order", async () => {
    const { store } = current;
    const conversationId = randomUUID();
    for (const message of ["1", "2", "3", "4"]) await exchange(store, { conversationId, message });
    await begin(store, { conversationId, message: "5" });
    const pages: Message[][] = [];
    let cursor: string | undefined;
    do {
      const page = await store.conversations.messages(conversationId, { limit: 4, cursor });
      pages.push(page.items);
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    expect(pages.map((page) => page.map((item) => item.text))).toEqual([
      ["Answer to: 3", "4", "Answer to: 4", "5"],
      ["Answer to: 1", "2", "Answer to: 2", "3"],
      ["1"],
    ]);
    const positions = pages.reverse().flatMap((page) => page.map((item) => item.position));
    expect(positions).toEqual([...new Set(positions)].sort((a, b) => a - b));
  });

  test("come in pages of no more bytes than anybody reads at once, and of one at least", async () => {
    const { store } = current;
    const conversationId = randomUUID();
    const ofBytes = (bytes: number) => "炭".repeat(bytes / 3) + "x".repeat(bytes % 3);
    const mebibyte = 1024 * 1024;
    await exchange(store, { conversationId, message: "1" }, { text: ofBytes(3 * mebibyte) });
    // Each text comes twice: once more in its parts.
    await exchange(store, { conversationId, message: "2" }, { text: ofBytes(mebibyte / 2 - 1) });
    await exchange(store, { conversationId, message: "3" }, { text: "Short." });
    const pages: (string | number)[][] = [];
    let cursor: string | undefined;
    do {
      const page = await store.conversations.messages(conversationId, { limit: 100, cursor });
      pages.push(page.items.map(({ text }) => (text.length > 9 ? Buffer.byteLength(text) : text)));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    expect(pages).toEqual([["3", "Short."], ["2", mebibyte / 2 - 1], [3 * mebibyte], ["1"]]);
  });

  test("refuse a cursor that is none of theirs", async () => {
    const { conversations } = current.store;
    for (const cursor of ["", "0", "-1", "1.5", "x", "9".repeat(30)]) {
      await expect(
        conversations.messages(randomUUID(), { limit: 3, cursor }),
      ).rejects.toMatchObject({ code: "BAD_INPUT" });
    }
  });

  test("are a bot's memory: the last exchanges that have an answer, oldest first", async () => {
    const { store } = current;
    const conversationId = randomUUID();
    await exchange(store, { conversationId, message: "1" });
    await exchange(store, { conversationId, message: "2" });
    await exchange(store, { conversationId, message: "3" }, { status: "failed", text: "" });
    await exchange(store, { conversationId, message: "4" }, { status: "cancelled", text: "Hal" });
    await begin(store, { conversationId, message: "5" });
    expect(
      await store.conversations.history(conversationId, { exchanges: 2, maxBytes: 1_000_000 }),
    ).toEqual([
      { role: "human", text: "2" },
      { role: "ai", text: "Answer to: 2" },
      { role: "human", text: "4" },
      { role: "ai", text: "Hal" },
    ]);
    expect(
      await store.conversations.history(conversationId, { exchanges: 10, maxBytes: 1_000_000 }),
    ).toHaveLength(6);
    expect(
      await store.conversations.history(conversationId, { exchanges: 0, maxBytes: 1_000_000 }),
    ).toEqual([]);
    expect(
      await store.conversations.history(randomUUID(), { exchanges: 2, maxBytes: 1_000_000 }),
    ).toEqual([]);
  });

  test("come back as they were written, but for what text cannot hold", async () => {
    const { store } = current;
    const kept = "炭酸水 e\u0301 👩‍👩‍👧‍👦 \r\n\t' \" \\ $1 ? \u0001 \u2028";
    const message = `${kept}\0\uD83D${"x".repeat(1_000_000)}`;
    const text = `\uDE00\0${kept}`;
    const { conversationId } = await exchange(store, { message }, { text });
    expect(
      await store.conversations.history(conversationId, { exchanges: 1, maxBytes: 10_000_000 }),
    ).toEqual([
      { role: "human", text: `${kept}\uFFFD\uFFFD${"x".repeat(1_000_000)}` },
      { role: "ai", text: `\uFFFD\uFFFD${kept}` },
    ]);
    await store.conversations.rename(conversationId, "alice", "a\0b");
    expect(await store.conversations.get(conversationId, "alice")).toMatchObject({
      title: "a\uFFFDb",
    });
  });

  test("a bot's memory is bounded in bytes: what is beyond them is left out, and all before it", async () => {
    const { store } = current;
    const texts = ["é".repeat(50), "b".repeat(100), "c".repeat(30)];
    const { conversationId } = await exchange(store, { message: "1234567890" }, { text: texts[0] });
    for (const text of texts.slice(1)) {
      await exchange(store, { conversationId, message: "1234567890" }, { text });
    }
    const answers = async (maxBytes: number) => {
      const history = await store.conversations.history(conversationId, { exchanges: 5, maxBytes });
      return history.filter(({ role }) => role === "ai").map(({ text }) => text);
    };
    expect(await answers(260)).toEqual(texts);
    expect(await answers(259)).toEqual(texts.slice(1));
    expect(await answers(149)).toEqual(texts.slice(2));
    expect(await answers(39)).toEqual([]);
  });
}
