/** Links in the documents of this repository lead to files and headings that are there. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { brokenLinks } from "./links.ts";
import { allDocuments, root } from "./samples.ts";

const documents = await allDocuments();

test.each(documents)("links of %s lead somewhere", async (document) => {
  expect(await brokenLinks({ folder: root, documents: [document] })).toEqual([]);
});

test("what leads nowhere is named", async ({ onTestFinished }) => {
  const folder = await mkdtemp(join(tmpdir(), "langwire-links-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, "docs"));
  await writeFile(join(folder, "LICENSE"), "");
  await writeFile(
    join(folder, "docs/a.md"),
    [
      "# One\n## `two` things\n## One",
      "[file](../LICENSE) [folder](../docs) [own](#one-1) [b](b.md#two-things) [out](https://example.com)",
      "[gone](gone.md) [heading](#three) [code](b.md#in-code) [above](../../x.md) [http](http://example.com)",
      "![picture](picture.png) [reference][r] `[not](a-link.md)`\n\n[r]: nowhere.md",
    ].join("\n"),
  );
  await writeFile(join(folder, "docs/b.md"), "# Two things\n```sh\n# In code\n```\n");
  const broken = ["gone.md", "#three", "b.md#in-code", "../../x.md", "http://example.com"];
  const all = [...broken, "picture.png", "nowhere.md"].map((link) => `docs/a.md: ${link}`);
  expect(await brokenLinks({ folder, documents: ["docs/a.md", "docs/b.md"] })).toEqual(all);

  // Of what is packed, nothing else is there, whatever the disk has.
  const files = ["docs/a.md", "docs/b.md"];
  const missing = ["docs/a.md: ../LICENSE", ...all];
  expect(await brokenLinks({ folder, documents: ["docs/a.md"], files })).toEqual(missing);
});
