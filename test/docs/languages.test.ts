/** README.ja.md says what README.md says: the same samples, links, headings and tables, in order. */
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { linksOf } from "./links.ts";
import { root, samplesIn } from "./samples.ts";

const [english, japanese] = ["README.md", "README.ja.md"] as const;
const linksIn = async (page: string) => linksOf(await readFile(`${root}${page}`, "utf8"));

test("the samples are the same", async () => {
  const codes = async (page: string) =>
    (await samplesIn(page)).map(({ language, code }) => ({ language, code }));
  expect(await codes(japanese)).toEqual(await codes(english));
});

test("the links are the same, but for those to each other", async () => {
  const links = async (page: string) =>
    (await linksIn(page)).filter((link) => link !== english && link !== japanese);
  expect((await links(japanese)).toSorted()).toEqual((await links(english)).toSorted());
  expect(await linksIn(japanese)).toContain(english);
  expect(await linksIn(english)).toContain(japanese);
});

test("headings and tables have the same shape", async () => {
  const shape = async (page: string) =>
    [...(await readFile(`${root}${page}`, "utf8")).matchAll(/^(#+ |\| )/gm)].map(([mark]) => mark);
  expect(await shape(japanese)).toEqual(await shape(english));
});
