/** The page's words: whose language is taken, that each is used, and that each is in its language. */
import { glob, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { english } from "../../client/page/language/english.ts";
import { japanese } from "../../client/page/language/japanese.ts";
import { localeFor } from "../../client/page/language/locale.ts";

const page = fileURLToPath(new URL("../../client/page/", import.meta.url));

test.each([
  [["ja-JP", "en-US"], "ja", "ja-JP"],
  [["JA"], "ja", "JA"],
  [["en-GB", "ja"], "en", "en-GB"],
  [["de-DE", "ja", "en"], "ja", "ja"],
  [["de-DE", "jam"], "en", "en"],
  [[], "en", "en"],
])("of %j the page takes %s", (wanted, language, tag) => {
  expect(localeFor(wanted)).toEqual({ language, tag });
});

const sources = new Map<string, string>();
const tables = ["english", "japanese", "japanese-errors", "words"].map(
  (name) => `language/${name}.ts`,
);
for await (const path of glob("**/*.{ts,tsx}", { cwd: page, exclude: tables })) {
  sources.set(path, await readFile(page + path, "utf8"));
}

test("no component has words of its own", () => {
  // Text between tags, the attributes that are read out or shown, and errors as the server words them.
  const own =
    /(?<=[\w"}]>\s*)[A-Z][a-z]+[^<>{}=;]*(?=<)|\b(?:aria-label|title|placeholder|alt|label)="([^"]+)"|\{[\w.?]*\.message\}/g;
  const found = [...sources].flatMap(([path, source]) =>
    [...source.matchAll(own)].map(([text]) => `${path}: ${text.trim()}`),
  );
  // A name is the same in every language.
  expect(found.filter((line) => !/: (?:Langwire|\w+(?:-label)?="Langwire")$/.test(line))).toEqual(
    [],
  );
});

test("each word is used", () => {
  const used = new Set(
    [...sources.values()].flatMap((source) =>
      [...source.matchAll(/\bwords\.(\w+)/g)].map(([, key]) => key),
    ),
  );
  expect(Object.keys(english).filter((key) => !used.has(key))).toEqual([]);
});

describe("plural forms", () => {
  test("in English", () => {
    expect(english.showMoreParts(1)).toBe("Show 1 more part");
    expect(english.showMoreParts(1_200)).toBe("Show 1,200 more parts");
    expect(english.tokens({ input: 1, output: 0 })).toBe("1 token in, 0 out");
    const made = { names: [], more: 0, count: 1, duration: "1.0 s" };
    expect(english.steps(made)).toBe("1 step in 1.0 s");
    expect(english.steps({ ...made, names: ["a", "b"], more: 2, count: 5 })).toBe(
      "Used a, b and 2 more · 5 steps in 1.0 s",
    );
  });

  test("in Japanese", () => {
    const made = { names: ["計算", "検索"], more: 2, count: 5, duration: "1.0 秒" };
    expect(japanese.steps(made)).toBe("計算、検索 ほか 2 件を使用 · 5 ステップ、1.0 秒");
  });
});
