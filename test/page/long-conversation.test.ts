/** A conversation of ten thousand messages, and an answer of 200 KB that comes at 200 tokens a second: no frame waits. */
import { expect, test } from "vitest";
import { full } from "../faults/form.ts";
import { keepConversation } from "./kept-conversation.ts";
import { busyTasks } from "./main-thread.ts";
import { describeWithChromium, piecesOf } from "./site.ts";

const messages = full ? 10_000 : 600;
const answerLength = full ? 200_000 : 20_000;
const tokenLength = 50;
const tokensPerSecond = 200;
const pageLength = 50;
/** Three frames of sixty a second: what is longer is seen as a hitch. */
const maxTaskMs = 50;
/** Of three groups in sight, or nearly. */
const maxDrawnElements = 3 * 40 * 12;

/** What a model writes of long tables: prose, a table of twenty rows, prose again. */
function tables(length: number): string {
  let text = "";
  for (let section = 1; text.length < length; section++) {
    const rows = Array.from(
      { length: 20 },
      (_, row) => `| ${section}.${row} | **${row * section}** | \`x${row}\` and some words |`,
    );
    text += `## Section ${section}\n\nWhat follows is a table.\n\n| Place | Sum | Notes |\n| --- | ---: | --- |\n${rows.join("\n")}\n\n`;
  }
  return text.slice(0, length);
}

const busyAbove = (tasks: readonly { ms: number }[]) =>
  tasks.filter(({ ms }) => ms > maxTaskMs).map(({ ms }) => ms);

describeWithChromium("the page: a long conversation", (open) => {
  test(`${messages} messages are read back, and an answer of ${answerLength} characters is made below them`, async () => {
    const { server, provider, visit } = await open();
    const conversationId = await keepConversation(server.langwire.store, { messages });
    const window = await visit({ at: `?user=ann#/c/${conversationId}` });
    const { page } = window;
    await window.shows(`Question ${messages / 2 - 1}`);
    const earlier = window.button("Earlier messages");
    const reading = await busyTasks(page, async () => {
      await page.evaluate('performance.mark("mark: reading")');
      for (let shown = pageLength; shown < messages; shown += pageLength) {
        await page.evaluate(`(async () => {
          const list = document.querySelector(".messages");
          const before = list.querySelectorAll(".human, .answer").length;
          document.querySelector(".earlier").click();
          while (list.querySelectorAll(".human, .answer").length === before) {
            await new Promise((resolve) => { requestAnimationFrame(resolve); });
          }
        })()`);
      }
    });
    expect(await earlier.count()).toBe(0);
    expect(await window.messages.count()).toBe(messages);
    provider.answer({
      steps: piecesOf(tables(answerLength), tokenLength),
      paceMs: 1_000 / tokensPerSecond,
    });
    const making = await busyTasks(page, async () => {
      await page.evaluate('performance.mark("mark: making")');
      // By keys, and by the list's end: Playwright's own looking for elements goes through the whole page,
      // on its thread, and takes 60 ms of ten thousand messages.
      await page.evaluate('document.querySelector("textarea").focus()');
      await page.keyboard.insertText("Make the tables");
      await page.keyboard.press("Enter");
      await page.evaluate(`(async () => {
        const list = document.querySelector(".messages");
        const status = () => list.lastElementChild.lastElementChild.dataset.status;
        const next = () => new Promise((resolve) => { requestAnimationFrame(resolve); });
        while (status() !== "streaming") await next();
        while (status() === "streaming") await next();
      })()`);
    });
    const isLaidOut = `.checkVisibility({ contentVisibilityAuto: true })`;
    expect(await page.evaluate(`document.querySelector(".human")${isLaidOut}`)).toBe(false);
    expect(await page.evaluate(`[...document.querySelectorAll(".human")].at(-1)${isLaidOut}`)).toBe(
      true,
    );
    // What a collection of garbage goes through: each message out of sight is one element.
    const elements = Number(
      await page.evaluate(`document.querySelectorAll(".message-group:not(:last-child) *").length`),
    );
    expect(elements).toBeLessThan(messages + maxDrawnElements);
    expect(busyAbove(reading)).toEqual([]);
    expect(busyAbove(making)).toEqual([]);
    expect(window.complaints).toEqual([]);
  }, 600_000);
});
