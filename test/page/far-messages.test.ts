/** Messages out of sight are their words alone, and nobody who reads notices. */
import { expect, test } from "vitest";
import { keepConversation } from "./kept-conversation.ts";
import { describeWithChromium, type Open, type Window } from "./site.ts";

const messages = 120;
const reasoning = "They want it short.";
const pageLength = 50;
/** Groups are of forty messages, counted from the first of the newest page. */
const firstGroupLength = 30;

/** Below it, with every message read back. */
async function readBack(open: Open): Promise<Window> {
  const { server, visit } = await open();
  const conversationId = await keepConversation(server.langwire.store, { messages, reasoning });
  const window = await visit({ at: `?user=ann#/c/${conversationId}` });
  await window.shows(`Question ${messages / 2 - 1}`);
  for (let shown = pageLength; shown < messages; shown += pageLength) {
    await until(window, `document.querySelectorAll(".human, .answer").length === ${shown}`);
    await window.page.evaluate(`document.querySelector(".earlier").click()`);
  }
  await until(window, `document.querySelectorAll(".human, .answer").length === ${messages}`);
  await until(window, `${first}.querySelector(".far") !== null`);
  return window;
}

const first = `document.querySelector(".message-group")`;
const second = `document.querySelectorAll(".message-group")[1]`;
const scroller = `document.querySelector(".scroller")`;

/** The page's security policy forbids what Playwright's own waiting needs. */
async function until(window: Window, condition: string): Promise<void> {
  await window.page.evaluate(`(async () => {
    while (!(${condition})) await new Promise((resolve) => { requestAnimationFrame(resolve); });
  })()`);
}

/** Where the first two groups meet. */
async function toFirstGroups(window: Window): Promise<void> {
  await window.page.evaluate(`${second}.scrollIntoView()`);
  await until(window, `![${first}, ${second}].some((group) => group.querySelector(".far"))`);
}

/** The second group has left, so the first has had its time to. */
async function toEnd(window: Window): Promise<void> {
  await window.page.evaluate(`${scroller}.scrollTop = ${scroller}.scrollHeight`);
  await until(window, `${second}.querySelector(".far") !== null`);
}

const figuresOf = (group: string) => `(() => {
  const group = ${group};
  return { messages: group.children.length,
    elements: group.querySelectorAll("*").length, buttons: group.querySelectorAll("button").length };
})()`;

describeWithChromium("the page: messages out of sight", (open) => {
  test("each is one element with its words; near, it is whole; gone, it is its words again", async () => {
    const window = await readBack(open);
    const { page } = window;
    const drawn = `document.querySelectorAll(".message-group > li:not(.far)").length`;
    expect(await page.evaluate(drawn)).toBeLessThan(messages / 2);
    const far = { messages: firstGroupLength, elements: firstGroupLength, buttons: 0 };
    expect(await page.evaluate(figuresOf(first))).toEqual(far);
    expect(await page.evaluate(`${first}.textContent`)).toContain("Question 0A **short** answer");
    await toFirstGroups(window);
    expect(await window.answers.first().innerHTML()).toContain("<strong>short</strong>");
    await window.answers.first().getByRole("button", { name: "Copy" }).waitFor();
    await toEnd(window);
    await until(window, `${first}.querySelector(".far") !== null`);
    expect(await page.evaluate(figuresOf(first))).toEqual(far);
    expect(window.complaints).toEqual([]);
  });

  test("what is brought into sight is whole", async () => {
    const { server, visit } = await open();
    const conversationId = await keepConversation(server.langwire.store, { messages });
    const window = await visit({ at: `?user=ann#/c/${conversationId}` });
    await window.shows(`Question ${messages / 2 - 1}`);
    await window.page.evaluate(`${scroller}.scrollTop = 0`);
    await window.button("Earlier messages").click();
    await until(
      window,
      `document.querySelectorAll(".human, .answer").length === ${2 * pageLength}`,
    );
    await until(window, `${first}.querySelector(".far") === null`);
    await window.answers.first().getByText("short", { exact: true }).waitFor();
  });

  test("what is selected stays selected, and what somebody has opened stays open", async () => {
    const window = await readBack(open);
    await toFirstGroups(window);
    const selection = `getSelection().toString()`;
    await window.page.evaluate(
      `getSelection().selectAllChildren(${first}.querySelector(".human .piece"))`,
    );
    await toEnd(window);
    expect(await window.page.evaluate(selection)).toBe("Question 0");
    await window.page.evaluate(`getSelection().empty()`);
    await toFirstGroups(window);
    const reasoning = `${first}.querySelector("details.reasoning")`;
    await window.page.evaluate(`${reasoning}.querySelector("summary").click()`);
    await toEnd(window);
    await toFirstGroups(window);
    expect(await window.page.evaluate(`${reasoning}.open`)).toBe(true);
  });

  test("what is read stays in its place while messages above it are drawn", async () => {
    const window = await readBack(open);
    const moved = await window.page.evaluate<number[]>(`(async () => {
      const scroller = ${scroller};
      const frames = async (count) => {
        while (count-- > 0) await new Promise((resolve) => { requestAnimationFrame(resolve); });
      };
      const moved = [];
      await frames(5);
      while (scroller.scrollTop > 1000 && moved.length < 12) {
        const read = [...document.querySelectorAll(".message-group > li")]
          .find((message) => message.getBoundingClientRect().top > 100);
        const before = read.getBoundingClientRect().top;
        scroller.scrollBy(0, -500);
        await frames(4);
        moved.push(read.getBoundingClientRect().top - before);
      }
      return moved;
    })()`);
    expect(moved.length).toBeGreaterThan(10);
    expect(moved.filter((px) => Math.abs(px - 500) > 2)).toEqual([]);
  });

  test("on paper each is whole, and its words are found", async () => {
    const window = await readBack(open);
    await window.page.evaluate(`(() => {
      const far = () => document.querySelectorAll(".far").length;
      globalThis.seen = { before: far() };
      addEventListener("beforeprint", () => {
        const bubbles = document.querySelectorAll(".human .bubble .piece").length;
        const answers = document.querySelectorAll(".answer strong").length;
        Object.assign(seen, { printed: far(), bubbles, answers });
      });
    })()`);
    await window.page.pdf({ format: "A4" });
    const seen = await window.page.evaluate<{ before: number }>(`seen`);
    expect(seen.before).toBeGreaterThanOrEqual(firstGroupLength);
    expect(seen).toMatchObject({ printed: 0, bubbles: messages / 2, answers: messages / 2 });
    await until(window, `document.querySelectorAll(".far").length >= ${firstGroupLength}`);
    expect(await window.page.evaluate(`find("Question 17", false, false, true)`)).toBe(true);
    await window.shows("Question 17");
  });
});
