/** What a bot writes: as Markdown, in every script, and while it grows. */
import { expect, test } from "vitest";
import { busyTasks } from "./main-thread.ts";
import { describeWithChromium, gate, piecesOf, textOf } from "./site.ts";

/** Notes what changes in items, rows and pieces that were over the last time that anything changed. */
const watchWhatIsOver = `
  window.changedAgain = [];
  const places = new WeakMap();
  new MutationObserver((records) => {
    for (const { target, type, removedNodes } of records) {
      const of = target.parentElement?.closest(".markdown li, .markdown tr, .markdown .piece");
      const place = of && places.get(of);
      const isOver = place && place.at < place.of - 80;
      if (isOver && (type === "characterData" || removedNodes.length > 0)) changedAgain.push(of.textContent);
    }
    const all = document.querySelectorAll(".markdown li, .markdown tr, .markdown .piece");
    all.forEach((one, at) => places.set(one, { at, of: all.length }));
  }).observe(document, { subtree: true, childList: true, characterData: true });
`;

const many = (line: (index: number) => string) =>
  Array.from({ length: 400 }, (_, index) => line(index)).join("");

const longTexts = {
  list: many((index) => `- item ${index} with **bold** and \`code\` in it\n`),
  "numbered list": many((index) => `${index + 1}. item ${index}\n`),
  table: `| a | b |\n|---|---|\n${many((index) => `| ${index} | **bold** |\n`)}`,
  code: `\`\`\`ts\n${many((index) => `const value${index} = ${index};\n`)}\`\`\`\n`,
  paragraph: many((index) => `some words and **bold ${index}**, `),
  "nested list": `- top\n${many((index) => `  - item ${index} of it\n`)}`,
};

describeWithChromium("the page: what a bot writes", (open) => {
  test("long lists, tables, code and paragraphs are drawn by their end, and stay whole", async () => {
    const { provider, visit } = await open();
    const window = await visit({ script: watchWhatIsOver });
    const tasks = await busyTasks(window.page, async () => {
      for (const [name, text] of Object.entries(longTexts)) {
        await window.page.evaluate(`performance.mark("mark: ${name}")`);
        provider.answer({ steps: piecesOf(text, 100), paceMs: 2 });
        await window.button("New conversation").click();
        await window.send(name);
        await window.answered();
        const shown = await window.answers.last().locator(".markdown").textContent();
        const numbers = shown?.match(/\d+/g)?.map(Number) ?? [];
        expect(new Set(numbers).size, name).toBeGreaterThanOrEqual(400);
      }
    });
    expect(await window.page.evaluate("changedAgain")).toEqual([]);
    expect(tasks.filter(({ ms }) => ms > 100)).toEqual([]);
    expect(await window.answers.last().locator("ul ul").count()).toBeGreaterThan(0);
    expect(window.complaints).toEqual([]);
  });

  test("a long list is one list, numbered through; a long table one table, code one block", async () => {
    const { provider, visit } = await open();
    provider.answer({
      steps: [longTexts["numbered list"], "\n", longTexts.table, "\n", longTexts.code],
    });
    const window = await visit();
    await window.send("Go");
    await window.answered();
    const answer = window.answers.last();
    expect(await answer.locator("ol").count()).toBe(1);
    await expect.poll(() => answer.locator("ol > li").count()).toBe(400);
    expect(await answer.getByRole("table").count()).toBe(1);
    await expect.poll(() => answer.getByRole("row").count()).toBe(401);
    expect(await answer.locator("figure").count()).toBe(1);
    const code = (await answer.locator("code").textContent())?.split("\n");
    expect(code?.length).toBe(400);
    expect(code?.at(-1)).toBe("const value399 = 399;");
  });

  test("each line of a paragraph, an item and a quote is a line, and what is no paragraph stays as it is", async () => {
    const { provider, visit } = await open();
    const { passed, open: finish } = gate();
    const long = many((index) => `line ${index}\n`);
    provider.answer({
      steps: [
        "Roses are red\n",
        { until: passed },
        "**Violets** are\nblue\n\n- one\nstill one\n- two\n\n> said\n> twice\n\n",
        `| a | b |\n|---|---|\n| 1 | 2 |\n\n\`in\ncode\`\n\n${long}`,
      ],
    });
    const window = await visit();
    await window.send("Go");
    await window.shows("Roses are red");
    finish();
    await window.answered();
    const answer = window.answers.last().locator(".markdown");
    const linesOf = async (selector: string) =>
      (await answer.locator(selector).first().innerText()).split("\n");
    expect(await linesOf(":scope > p")).toEqual(["Roses are red", "Violets are", "blue"]);
    expect(await linesOf("li")).toEqual(["one", "still one"]);
    expect(await linesOf("blockquote p")).toEqual(["said", "twice"]);
    expect(await answer.locator("table br").count()).toBe(0);
    await textOf(answer.locator("p code")).toBe("in code");
    const lines = (await answer.locator(":scope > p").last().innerText()).trim().split("\n");
    expect(lines).toEqual(long.trim().split("\n"));
    expect(window.complaints).toEqual([]);
  });

  test("what is selected stays selected while the text grows, in its middle and at its end", async () => {
    const { provider, visit } = await open();
    const gates = [gate(), gate(), gate()] as const;
    provider.answer({
      steps: [
        "First paragraph.\n\nThe second **one gr",
        { until: gates[0].passed },
        "ows** on",
        { until: gates[1].passed },
        " and on\n\nand is over",
        { until: gates[2].passed },
        ".",
      ],
    });
    const window = await visit();
    await window.send("Go");
    await window.shows("The second");
    const select = (from: string, to: string) =>
      window.page.evaluate(`{
        const texts = [...document.querySelectorAll(".answer .markdown p")];
        const placeOf = (words) => {
          for (const text of texts) {
            const walker = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
            for (let node = walker.nextNode(); node; node = walker.nextNode()) {
              if (node.nodeValue.includes(words)) return [node, node.nodeValue.indexOf(words)];
            }
          }
        };
        const [a, b] = [placeOf("${from}"), placeOf("${to}")];
        getSelection().setBaseAndExtent(a[0], a[1], b[0], b[1] + ${to.length});
      }`);
    const selected = () => window.page.evaluate("String(getSelection())");
    await select("paragraph", "second");
    gates[0].open();
    await window.shows("one grows");
    expect(await selected()).toBe("paragraph.\n\nThe second");
    await select("The", "grow");
    gates[1].open();
    await window.shows("and is over");
    expect(await selected()).toBe("The second one grow");
    gates[2].open();
    await window.answered();
    expect(await selected()).toBe("The second one grow");
  });

  test("tasks, footnotes, links defined later, addresses, images, and what is deeper than deep", async () => {
    const { provider, visit } = await open();
    provider.answer({
      steps: [
        "- [x] done\n- [ ] to do\n\nSee [the spec], [^1] and https://example.com/a_b_c.\n\n",
        "![a drawing](https://example.com/a.png) ![](javascript:alert(1))\n\n",
        "[^1]: A note.\n\n[the spec]: https://example.com/spec\n\n",
        `${">".repeat(3_000)} deep\n`,
      ],
    });
    const window = await visit();
    await window.send("Go");
    await window.answered();
    const answer = window.answers.last();
    expect(await answer.getByRole("checkbox", { name: "Done" }).isChecked()).toBe(true);
    expect(await answer.getByRole("checkbox", { name: "To do" }).isChecked()).toBe(false);
    const addresses = await window.page.evaluate(
      `[...document.querySelectorAll(".answer .markdown a")].map((link) => link.getAttribute("href"))`,
    );
    expect(addresses).toEqual([
      "https://example.com/spec",
      "https://example.com/a_b_c",
      "https://example.com/a.png",
    ]);
    await textOf(answer.locator("sup").first()).toBe("1");
    await window.shows(/^1 A note|A note\./);
    expect(await answer.locator("img").count()).toBe(0);
    await window.shows(/^>{3000} deep$/);
    expect(window.complaints).toEqual([]);
  });

  test("each paragraph, item and cell is written from the side of its script", async () => {
    const { provider, visit } = await open();
    provider.answer({
      steps: [
        "سلام دنیا\n\nHello\n\n- שלום\n\n| عربي | English |\n|---|---|\n| واحد | one |\n\n`אבג` x\n",
      ],
    });
    const window = await visit();
    await window.send("Go");
    await window.answered();
    const sides = await window.page.evaluate(`
      [...document.querySelectorAll(".answer :is(.markdown > p, li, td)")].map((element) => {
        const words = document.createRange();
        words.selectNodeContents(element);
        const [inside, around] = [words.getBoundingClientRect(), element.getBoundingClientRect()];
        const isLeft = inside.left - around.left < around.right - inside.right;
        return element.textContent + ": " + (isLeft ? "left" : "right");
      })`);
    expect(sides).toEqual([
      "سلام دنیا: right",
      "Hello: left",
      "שלום: right",
      "واحد: right",
      "one: right",
      "אבג x: left",
    ]);
    // And so are the marks of a list, and the first column of a table.
    const ofWhole = `[...document.querySelectorAll(".answer :is(ul, table)")]
      .map((element) => getComputedStyle(element).direction)`;
    expect(await window.page.evaluate(ofWhole)).toEqual(["rtl", "rtl"]);
  });
});
