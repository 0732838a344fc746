/** The documents that exist in Japanese say there what they say in English: the same samples, links, shape. */
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { describe, expect, test } from "vitest";
import { linksOf } from "./links.ts";
import { root, samplesIn } from "./samples.ts";

const pairs = [
  ["README.md", "README.ja.md"],
  ["docs/start.md", "docs/start.ja.md"],
] as const;

const textOf = (page: string) => readFile(`${root}${page}`, "utf8");

describe.each(pairs)("%s and %s", (english, japanese) => {
  test("have the same samples", async () => {
    const codes = async (page: string) =>
      (await samplesIn(page)).map(({ place: _, ...sample }) => sample);
    expect(await codes(japanese)).toEqual(await codes(english));
  });

  test("have the same links, but for those to each other", async () => {
    const each = [basename(english), basename(japanese)];
    const links = async (page: string) =>
      linksOf(await textOf(page)).filter((link) => !each.includes(link));
    expect((await links(japanese)).toSorted()).toEqual((await links(english)).toSorted());
    expect(linksOf(await textOf(japanese))).toContain(basename(english));
    expect(linksOf(await textOf(english))).toContain(basename(japanese));
  });

  test("have headings, lists and tables of the same shape", async () => {
    const shape = async (page: string) =>
      [...(await textOf(page)).matchAll(/^(#+ |\| |- |\d\. )/gm)].map(([mark]) => mark);
    expect(await shape(japanese)).toEqual(await shape(english));
  });

  test("the one in Japanese is in Japanese, in every paragraph", async () => {
    const prose = (await textOf(japanese)).replaceAll(/^```[\s\S]*?^```$/gm, "");
    const paragraphs = prose.split(/\n\s*\n/).filter((text) => /[A-Za-z]{3}/.test(text));
    const isJapanese = /[\p{Script=Hiragana}\p{Script=Katakana}]/u;
    const names = /^(# Langwire|\| \| \|\n[\s\S]*)$/;
    expect(paragraphs.filter((text) => !isJapanese.test(text) && !names.test(text.trim()))).toEqual(
      [],
    );
  });
});
