/** What the page costs and whom it shuts out: renders per token, accessibility, small screens. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { describeWithChromium, type Window } from "./site.ts";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What axe objects to, each with the elements that it means. */
async function violations({ page }: Window): Promise<string[]> {
  await page.evaluate(`if (!window.axe) { ${axe} }`);
  return page.evaluate(`axe.run().then(({ violations }) =>
    violations.map(({ id, nodes }) => id + ": " + nodes.map(({ html }) => html).join(", ")))`);
}

/** Counts how often an answer is drawn, and how often anything in it changes that was over before. */
const countDrawing = `
  window.drawn = { commits: 0, frames: 0, again: 0 };
  const countFrame = () => {
    drawn.frames++;
    requestAnimationFrame(countFrame);
  };
  requestAnimationFrame(countFrame);
  let growing = 0;
  new MutationObserver((records) => {
    const answer = document.querySelector(".answer .markdown");
    const inAnswer = records.filter(({ target }) => answer?.contains(target));
    if (inAnswer.length === 0) return;
    const blocks = [...answer.children];
    const over = blocks.slice(0, growing);
    drawn.commits++;
    drawn.again += inAnswer.filter(({ target }) => over.some((block) => block.contains(target))).length;
    growing = blocks.length - 1;
  }).observe(document, { subtree: true, childList: true, characterData: true });
`;

interface Drawn {
  readonly commits: number;
  readonly frames: number;
  readonly again: number;
}

/** An answer of paragraphs, lists and code, 40 KB long, in which each token is known by its number. */
function numberedTokens(count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const [block, at] = [Math.floor(index / 40), index % 40];
    if (block % 5 === 4) {
      const [opening, closing] = [at === 0 ? "```ts\n" : "", at === 39 ? "```\n\n" : ""];
      return `${opening}w${index} = ${at};${filler}${at % 5 === 4 ? "\n" : " "}${closing}`;
    }
    const item = block % 5 === 3 && at % 8 === 0 ? "\n- " : "";
    return `${item}${at % 10 === 5 ? `**w${index}**` : `w${index}`}${filler}${at === 39 ? "\n\n" : " "}`;
  });
}

const filler = " and some words, as they come";

const groupSize = 4;

/**
 * In groups, as they come out of a network, by a clock of their own: a group that leaves late makes
 * none after it late.
 */
async function* atRate(tokens: readonly string[], perSecond: number) {
  const startedMs = performance.now();
  for (const [index, token] of tokens.entries()) {
    const dueMs = startedMs + (index * 1_000) / perSecond;
    if (index % groupSize === 0) await sleep(Math.max(0, dueMs - performance.now()));
    yield token;
  }
}

/** How often functions of the page's own are called, which no other work of the machine changes. */
async function callsOf({ context, page }: Window, work: () => Promise<void>): Promise<number> {
  const session = await context.newCDPSession(page);
  await session.send("Profiler.enable");
  await session.send("Profiler.startPreciseCoverage", { callCount: true, detailed: false });
  await work();
  const { result } = await session.send("Profiler.takePreciseCoverage");
  const counts = result.flatMap(({ functions }) =>
    functions.flatMap(({ ranges }) => ranges.map(({ count }) => count)),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

/** About twice what they are. Where the whole answer is read anew at each frame, that takes 50,000. */
const [maxCallsPerToken, maxCallsPerFrame] = [1_000, 15_000];

describeWithChromium("the page: quality", (open) => {
  test("fast tokens are drawn by the frame, and only the end of the answer anew", async () => {
    const { provider, visit } = await open();
    const paragraph = "Some **words** in `a` paragraph, one after the other. ".split(/(?<= )/);
    const tokens = Array.from({ length: 40 }, (_, index) => [
      ...paragraph,
      `(${index})\n\n`,
    ]).flat();
    provider.answer({ steps: tokens, paceMs: 2 });
    const window = await visit({ script: countDrawing });
    await window.send("Go");
    await window.shows("(39)");
    await window.answered();
    const drawn: Drawn = await window.page.evaluate("drawn");
    expect(tokens.length).toBeGreaterThanOrEqual(400);
    expect(drawn.commits).toBeGreaterThan(0);
    expect(drawn.commits).toBeLessThanOrEqual(drawn.frames + 2);
    expect(drawn.commits).toBeLessThan(tokens.length / 2);
    expect(drawn.again).toBe(0);
  });

  test("of a long answer each frame draws the end alone, and takes a bounded number of calls for it", async () => {
    const { provider, visit } = await open();
    const tokens = numberedTokens(1_200);
    provider.answer({ steps: atRate(tokens, 400) });
    const window = await visit({ script: countDrawing });
    const calls = await callsOf(window, async () => {
      await window.send("Go");
      await window.shows(/w1199/);
      await window.answered();
    });
    const { commits, frames, again }: Drawn = await window.page.evaluate("drawn");
    expect(calls).toBeLessThan(tokens.length * maxCallsPerToken + commits * maxCallsPerFrame);
    expect(commits).toBeLessThanOrEqual(frames + 2);
    expect(again).toBe(0);
    const text = await window.answers.last().locator(".markdown").textContent();
    expect(text?.match(/w\d+/g)).toEqual(tokens.map((_, index) => `w${index}`));
    expect(window.complaints).toEqual([]);
  });

  for (const colorScheme of ["light", "dark"] as const) {
    test(`axe has nothing to say against the page in ${colorScheme}`, async () => {
      const { provider, visit } = await open();
      provider.answer({ steps: [{ toolCall: "calculator", args: { expression: "6*7" } }] });
      provider.answer({
        steps: [
          "# One\n\nSome `code`, [a link](https://example.com).\n\n> quoted\n\n",
          "| a | b |\n| - | - |\n| 1 | 2 |\n\n",
          `\`\`\`ts\n${"const long = 1; ".repeat(30)}\n\`\`\`\n`,
        ],
      });
      provider.answer({ status: 401 });
      const window = await visit({ context: { colorScheme } });
      await window.shows("Who would you like to talk to?");
      expect(await violations(window)).toEqual([]);

      await window.page.getByText("Computes, tells the time").click();
      await window.send("6*7?");
      await window.answered();
      await window.button(/^Used calculator/).click();
      await window.page.getByText(/: calculator$/).click();
      await window.send("Fail");
      await window.shows("MODEL_AUTHENTICATION");
      await window.button("Share").waitFor();
      expect(await violations(window)).toEqual([]);

      await window.button("Share").click();
      await window.button("Make a link").click();
      await window.page.getByRole("textbox", { name: "Link" }).waitFor();
      expect(await violations(window)).toEqual([]);
      expect(window.complaints).toEqual([]);
    });
  }

  test("on a narrow screen the list opens over the conversation, and nothing sticks out", async () => {
    const { provider, visit } = await open();
    provider.answer({ steps: [`\`\`\`\n${"wide ".repeat(100)}\n\`\`\`\n`, "x".repeat(300)] });
    const window = await visit({ context: { viewport: { width: 360, height: 640 } } });
    await window.send("Hi");
    await window.answered();
    const list = window.page.getByRole("navigation", { name: "Conversations" });
    expect(await list.isVisible()).toBe(false);
    await window.button("Conversations").click();
    await list.getByRole("link", { name: "Hi" }).waitFor();
    await window.page.keyboard.press("Escape");
    await list.waitFor({ state: "hidden" });
    const sticksOut = `[...document.querySelectorAll("main, header, ol, form, figure")]
      .filter((element) => element.getBoundingClientRect().right > innerWidth).length`;
    expect(await window.page.evaluate(sticksOut)).toBe(0);
    expect(await violations(window)).toEqual([]);
  });
});
