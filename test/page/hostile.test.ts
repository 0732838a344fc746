/** Texts of models that were talked into something: none blanks the page, and none holds it up. */
import { RunnableLambda } from "@langchain/core/runnables";
import { expect, test } from "vitest";
import { createClient } from "../../client/src/index.ts";
import { defineBot } from "../../src/bots/bot.ts";
import { full } from "../faults/form.ts";
import { hostileTexts } from "./hostile-texts.ts";
import { type BusyTask, busyTasks, longEachTime } from "./main-thread.ts";
import { describeWithChromium, piecesOf, type Window } from "./site.ts";

const echo = defineBot({
  id: "echo",
  title: "Echo",
  description: "Says it again.",
  runnable: RunnableLambda.from(({ message }: { message: string }) => message),
  input: ({ message }) => ({ message }),
});

const textsPerConversation = 5;
const texts = hostileTexts(full ? 200 : 50, 20261128);
/** As long as the others, and as people write. */
const ordinaryText = Array.from(
  { length: 200 },
  (_, index) =>
    `Word ${index} of a text, with **bold** and [links](https://example.com/${index}).\n\n`,
).join("");
/** Beyond this a page does not answer to a hand. */
const maxTaskMs = 100;

/** Resolves once nothing has changed on the page for some frames. */
const settled = `new Promise((resolve) => {
  let frames = 0;
  const changes = new MutationObserver(() => { frames = 0; });
  changes.observe(document, { subtree: true, childList: true, characterData: true });
  const next = () => {
    if (++frames > 6) { changes.disconnect(); resolve(); } else requestAnimationFrame(next);
  };
  next();
})`;

async function opens({ page, field, messages }: Window, conversationId: string): Promise<void> {
  const hash = `#/c/${conversationId}`;
  await page.evaluate(`performance.mark("mark: ${conversationId}"), location.hash = "${hash}"`);
  await page
    .locator(".answer footer")
    .nth(textsPerConversation - 1)
    .waitFor();
  await page.evaluate(settled);
  expect(await field.isVisible()).toBe(true);
  expect(await messages.count()).toBe(2 * textsPerConversation);
}

describeWithChromium("the page: hostile texts", (open) => {
  test(`${texts.length} of them, of people and of bots: each is shown, and none takes 100 ms at once`, async () => {
    const { server, visit } = await open({ bots: [echo] });
    const conversations = new Map<string, readonly string[]>();
    const batches = Array.from({ length: texts.length / textsPerConversation }, (_, index) =>
      texts.slice(index * textsPerConversation, (index + 1) * textsPerConversation),
    );
    await using client = createClient({ url: server.url });
    const ordinary = (await client.conversations.create({ botId: "echo" })).conversationId;
    for (let index = 0; index < textsPerConversation; index++) {
      await client.send({ botId: "echo", conversationId: ordinary, message: ordinaryText }).ended;
    }
    await Promise.all(
      batches.map(async (batch) => {
        const { conversationId } = await client.conversations.create({ botId: "echo" });
        for (const { text } of batch) {
          await client.send({ botId: "echo", conversationId, message: text }).ended;
        }
        const names = batch.map(({ kind, text }) => `${kind}: ${text.slice(0, 40)}`);
        conversations.set(conversationId, names);
      }),
    );
    const window = await visit({ context: { viewport: { width: 360, height: 640 } } });
    await window.shows("Who would you like to talk to?");
    const tasksOf = async (conversationIds: readonly string[]) => {
      await window.page.evaluate(`location.hash = "#/"`);
      await window.shows("Who would you like to talk to?");
      return await busyTasks(window.page, async () => {
        for (const conversationId of conversationIds) await opens(window, conversationId);
      });
    };
    const long = await longEachTime([...conversations.keys()], {
      ...{ maxMs: maxTaskMs, ordinary, tasksOf },
    });
    const named = ({ mark, ms }: BusyTask) => ({ ms, texts: conversations.get(mark.slice(6)) });
    expect(long.map(named)).toEqual([]);
    const sticksOut = "document.documentElement.scrollWidth - innerWidth";
    expect(await window.page.evaluate(sticksOut)).toBe(0);
    expect(window.complaints).toEqual([]);
  }, 300_000);

  test("while they are made, none holds the page up either", async () => {
    const { provider, visit } = await open();
    const streamed = texts.filter((_, index) => index % (full ? 4 : 6) === 0);
    const window = await visit();
    const tasksOf = (indexes: readonly string[]) =>
      busyTasks(window.page, async () => {
        for (const index of indexes) {
          await window.page.evaluate(`performance.mark("mark: ${index}")`);
          const text = streamed[Number(index)]?.text ?? ordinaryText;
          provider.answer({ steps: piecesOf(text, 200), paceMs: 2 });
          await window.button("New conversation").click();
          await window.send("Say it");
          await window.answered();
        }
      });
    const long = await longEachTime(Object.keys(streamed), {
      ...{ maxMs: maxTaskMs, ordinary: "ordinary", tasksOf },
    });
    const named = ({ mark, ms }: BusyTask) => ({ ms, text: streamed[Number(mark.slice(6))] });
    expect(long.map(named)).toEqual([]);
    expect(window.complaints).toEqual([]);
  }, 300_000);

  test("a message that cannot be drawn takes no other with it", async () => {
    const { visit } = await open();
    // A browser whose clock speaks no language.
    const script = `{
      const { get } = Object.getOwnPropertyDescriptor(Intl.DateTimeFormat.prototype, "format");
      window.isBroken = false;
      Object.defineProperty(Intl.DateTimeFormat.prototype, "format", {
        get() {
          if (window.isBroken) throw new RangeError("Incorrect locale information provided");
          return get.call(this);
        },
      });
    }`;
    const window = await visit({ script });
    await window.send("One");
    await window.answered();
    await window.page.evaluate("isBroken = true");
    await window.send("Two");
    await window.shows("This message could not be drawn as it should be.");
    await window.shows("You said: Two");
    await window.page.evaluate("isBroken = false");
    await window.send("Three");
    await window.answered();
    await window.shows("You said: Three");
    await window.shows("You said: One");
  });
});
