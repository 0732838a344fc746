/** How a growing text is cut: by what it is made of, and the same however it came. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MarkdownReader } from "../../client/page/markdown/reading/reader.ts";
import type { Section } from "../../client/page/markdown/reading/sections.ts";

function sectionsOf(text: string): Section[] {
  return new MarkdownReader().read(text).groups.flat();
}

const kindsOf = (text: string) => sectionsOf(text).map(({ kind }) => kind);
const textsOf = (section: Section | undefined) => section?.parts.map(({ text }) => text);

describe("sections", () => {
  test.each([
    ["one\n\ntwo", ["paragraph", "paragraph"]],
    ["# Head\nbelow", ["blocks"]],
    ["one\n- a\n- b\n\ntwo", ["paragraph", "list", "paragraph"]],
    ["- a\n\n  more\n\n- b\n* c", ["list", "list"]],
    ["1. a\n\n   ```\n   code\n   ```\n2. b", ["list"]],
    ["1. a\n```\ncode\n```\n2. b", ["list", "code", "list"]],
    ["one\n1986. a year", ["paragraph"]],
    ["- - -\n* * *\n---", ["blocks"]],
    ["a | b\n--|--\n1 | 2\n\nend", ["table", "paragraph"]],
    ["words\na | b\n--|--\n1 | 2\n> quote", ["paragraph", "table", "blocks"]],
    ["a | b\n--|--|--\n1 | 2", ["paragraph"]],
    ["    code\n\n    more\nwords", ["blocks", "paragraph"]],
    ["```js\na\n\n# b\n~~~\n````", ["code"]],
    ["~~~\n```\n~~~\nend", ["code", "paragraph"]],
    ["[a]: https://example.com\n\n[a]", ["blocks", "paragraph"]],
  ])("%j", (text, kinds) => {
    expect(kindsOf(text)).toEqual(kinds);
  });

  test("a list is cut by its items, a table by its rows, code by its lines, words between two", () => {
    const items = Array.from({ length: 200 }, (_, index) => `- item ${index} of the list`);
    const [list] = sectionsOf(items.join("\n"));
    expect(textsOf(list)?.length).toBeGreaterThan(3);
    expect(textsOf(list)?.join("\n")).toBe(items.join("\n"));
    for (const text of textsOf(list) ?? []) expect(text).toMatch(/^- item/);

    const rows = Array.from({ length: 200 }, (_, index) => `| ${index} | something |`);
    const [table] = sectionsOf(["| a | b |", "|---|---|", ...rows].join("\n"));
    expect(textsOf(table)?.length).toBeGreaterThan(3);
    expect(textsOf(table)?.join("\n")).toBe(rows.join("\n"));

    const [code] = sectionsOf(["```", ...rows, "```"].join("\n"));
    expect(textsOf(code)?.length).toBeGreaterThan(3);
    expect(textsOf(code)?.join("\n")).toBe(rows.join("\n"));

    const words = "some words in one line ".repeat(1_000);
    const [paragraph] = sectionsOf(words);
    expect(textsOf(paragraph)?.length).toBeGreaterThan(3);
    expect(textsOf(paragraph)?.join("")).toBe(words);
    for (const text of textsOf(paragraph)?.slice(0, -1) ?? []) expect(text).toMatch(/ $/);
  });

  test("a wide table ends a part after few rows", () => {
    const row = "|".repeat(41);
    const rows = Array.from({ length: 100 }, () => "|");
    const [table] = sectionsOf([row, "|-".repeat(40), ...rows].join("\n"));
    expect(table?.kind).toBe("table");
    expect(textsOf(table)?.length).toBeGreaterThanOrEqual(10);
  });

  test("words without a space are cut between two characters, not inside of one", () => {
    const [paragraph] = sectionsOf(`a${"😀".repeat(5_000)}`);
    expect(textsOf(paragraph)?.length).toBeGreaterThan(1);
    for (const text of textsOf(paragraph) ?? []) expect(text.isWellFormed()).toBe(true);
  });
});

test("of very many tables and blocks of code the later ones are shown as written", () => {
  const text = "```js\na\n```\na|b\n-|-\n1|2\n\n".repeat(150);
  const sections = sectionsOf(text);
  expect(sections.slice(0, 100).map(({ kind }) => kind)).not.toContain("written");
  expect(sections.slice(100).every(({ kind }) => kind === "written")).toBe(true);
  expect(textsOf(sections.at(-1))).toEqual(["a|b\n-|-\n1|2"]);
});

const pieces = [
  ...'ab`*_~#>|-+:[]()!\\"<& \t\n\n\n',
  "- ",
  "1. ",
  "  - ",
  "```\n",
  "~~~\n",
  "> ",
  "| a | b |\n|---|---|\n",
  "[a]: /x\n",
  "[^1]: ",
  "    ",
  "words and words\n",
  "\r\n",
  "😀",
];

test("a text in pieces is cut as the whole is; what was over stays the same object; no word is lost", () => {
  const texts = fc.array(fc.constantFrom(...pieces), { maxLength: 60 });
  fc.assert(
    fc.property(texts, (chunks) => {
      const reader = new MarkdownReader();
      let text = "";
      let before: readonly Section[] = [];
      for (const chunk of chunks) {
        text += chunk;
        const now = reader.read(text).groups.flat();
        const same = before.filter((section, index) => section === now[index]).length;
        // The last one may grow, and give its last line to another one.
        expect(same).toBeGreaterThanOrEqual(before.length - 2);
        before = now;
      }
      expect(before).toEqual(sectionsOf(text));
      const kept = before.flatMap((section) => [
        section.kind === "table" ? section.head : "",
        section.kind === "code" ? section.fence.info : "",
        ...section.parts.map((part) => part.text),
      ]);
      const letters = (words: string) => words.replaceAll(/[^a-z]/g, "");
      expect(letters(kept.join(""))).toBe(letters(text));
    }),
    { numRuns: 300 },
  );
});

test("a link is known wherever in the text it is defined, once its line is whole", () => {
  const reader = new MarkdownReader();
  expect(Object.keys(reader.read("See [a].\n\n[a]: https://exam").links)).toEqual([]);
  const { links } = reader.read("See [a].\n\n[a]: https://example.com\n[b]: /c\n");
  expect(links).toMatchObject({ A: { href: "https://example.com" }, B: { href: "/c" } });
  expect(reader.read("```\n[key: string]: string\n[a]: b\n```\n").links).toEqual({});
});
