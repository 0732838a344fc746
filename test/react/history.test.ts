/** Pages of messages, and how they join each other and the runs that were seen. */
import { expect, test } from "vitest";
import type { Message } from "../../client/src/index.ts";
import { History, merged } from "../../client/src/react/history.ts";
import type { ChatMessage, Span } from "../../client/src/react/index.ts";
import { Traces } from "../../client/src/react/traces.ts";
import { fromHistory } from "../../client/src/react/turn.ts";

function message(runId: string): Message {
  const at = "2026-01-01T00:00:00.000Z";
  return { role: "human", runId, text: runId, at, userId: "u", position: 1 };
}

const shown = (messages: readonly ChatMessage[]) => messages.map(({ runId }) => runId).join("");
const chat = (...runIds: string[]) => runIds.map((runId) => fromHistory(message(runId)));

interface Asked {
  readonly cursor: string | undefined;
  answer(items: string, nextCursor?: string): void;
  refuse(): void;
}

/** Answers when the test says so. */
function pages() {
  const asked: Asked[] = [];
  const read = (cursor: string | undefined) =>
    new Promise<{ items: Message[]; nextCursor?: string }>((resolve, reject) => {
      asked.push({
        cursor,
        refuse: () => reject(new Error("refused")),
        answer: (items, nextCursor) =>
          resolve({ items: [...items].map(message), ...(nextCursor && { nextCursor }) }),
      });
    });
  return { asked, read };
}

test("of two loads the one that was begun last is shown, whichever is answered first", async () => {
  const { asked, read } = pages();
  const history = new History(read);
  const loads = [history.load(), history.load()];
  asked[1]?.answer("bc");
  asked[0]?.answer("ab", "0");
  await Promise.all(loads);
  expect(shown(history.messages)).toBe("bc");
  expect(history.hasEarlier).toBe(false);
});

test("a newest page that joins the pages before it leaves them, and where to go on", async () => {
  const { asked, read } = pages();
  const history = new History(read);
  const first = history.load();
  asked[0]?.answer("de", "3");
  await first;
  const earlier = history.loadEarlier();
  asked[1]?.answer("bc", "1");
  await earlier;
  const again = history.load();
  asked[2]?.answer("efg", "4");
  await again;
  expect(shown(history.messages)).toBe("bcdefg");
  void history.loadEarlier();
  expect(asked[3]?.cursor).toBe("1");
});

test("earlier pages are asked for one after the other, however often, and again where one was refused", async () => {
  const { asked, read } = pages();
  const history = new History(read);
  const first = history.load();
  asked[0]?.answer("de", "3");
  await first;
  const cursors = () => asked.slice(1).map(({ cursor }) => cursor);
  const refused = [history.loadEarlier(), history.loadEarlier()];
  asked[1]?.refuse();
  const outcomes = await Promise.allSettled(refused);
  expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect([cursors(), history.hasEarlier]).toEqual([["3"], true]);
  for (const [page, nextCursor] of [["bc", "1"], ["a"]] as const) {
    const loads = [history.loadEarlier(), history.loadEarlier()];
    asked.at(-1)?.answer(page, nextCursor);
    await Promise.all(loads);
  }
  expect([cursors(), history.hasEarlier]).toEqual([["3", "3", "1"], false]);
  expect(shown(history.messages)).toBe("abcde");
  await history.loadEarlier();
  expect(cursors()).toHaveLength(3);
});

test("a newest page that joins nothing stands alone, and earlier ones that were under way are dropped", async () => {
  const { asked, read } = pages();
  const history = new History(read);
  const first = history.load();
  asked[0]?.answer("de", "3");
  await first;
  const earlier = history.loadEarlier();
  const again = history.load();
  asked[2]?.answer("xy", "9");
  await again;
  asked[1]?.answer("bc");
  await earlier;
  expect(shown(history.messages)).toBe("xy");
  expect(history.hasEarlier).toBe(true);
});

test("messages that the application brought are there once, and what is before them can be loaded", async () => {
  const { asked, read } = pages();
  const history = new History(read, [..."bcd"].map(message));
  expect(history.hasEarlier).toBe(false);
  const load = history.load();
  asked[0]?.answer("cde", "2");
  await load;
  expect(shown(history.messages)).toBe("bcde");
  const earlier = history.loadEarlier();
  asked[1]?.answer("ab");
  await earlier;
  expect(shown(history.messages)).toBe("abcde");
});

test.each([
  ["all of them newer", "abc", "de", "abcde"],
  ["some that the history has", "abc", "bcd", "abcd"],
  ["with others between, that were not seen", "abcd", "be", "abcde"],
  ["older ones, from before the page", "cd", "abcde", "abcde"],
  ["none", "abc", "", "abc"],
  ["and no history", "", "ab", "ab"],
])("runs that were seen: %s", (_what, history, live, all) => {
  expect(shown(merged(chat(...history), chat(...live)))).toBe(all);
});

test("what was seen of a run takes the place of what the history has", () => {
  const live = chat("b").map((one) => ({ ...one, text: "seen" }));
  expect(merged(chat("a", "b", "c"), live)[1]).toBe(live[0]);
});

test("a trace stays with its answer, also when the history is read again", async () => {
  const answer: Message = { ...message("a"), role: "ai" };
  const history = new History(async () => ({ items: [message("a"), answer] }), [answer]);
  const spans: Span[] = [];
  history.trace("a", spans);
  expect(history.messages).toMatchObject([{ role: "ai", isTraced: true }]);
  await history.load();
  expect(history.messages).toMatchObject([{ role: "human" }, { role: "ai", isTraced: true }]);
  expect(history.messages[1]).toHaveProperty("spans", spans);
  history.trace("a", spans);
  expect(history.messages.map((message) => "spans" in message)).toEqual([false, true]);
});

test("a trace is read once; one that could not be read is read when it is asked for again", async () => {
  const outcomes = [new Error("lost"), undefined];
  const followed: string[] = [];
  const loaded: unknown[] = [];
  const traces = new Traces({
    follow: async function* (runId) {
      followed.push(runId);
      const error = outcomes.shift();
      if (error !== undefined) throw error;
      yield { type: "chainStart", runId, spanId: "s", at: "2026-01-01T00:00:00.000Z", name: "n" };
    },
    onLoaded: (runId, spans) => loaded.push([runId, spans.map(({ id }) => id)]),
  });
  const both = await Promise.allSettled([traces.load("a"), traces.load("a")]);
  expect(both.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  await Promise.all([traces.load("a"), traces.load("a")]);
  await traces.load("a");
  expect(followed).toEqual(["a", "a"]);
  expect(loaded).toEqual([["a", ["s"]]]);
  // Of who waits for none, an error that nobody takes would end the program.
  outcomes.push(new Error("lost"));
  void traces.load("b");
  await new Promise((resolve) => setImmediate(resolve));
  await traces.load("b");
  expect(followed).toEqual(["a", "a", "b", "b"]);
});
