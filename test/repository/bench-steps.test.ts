/** The steps that a profile is read by name code that there is: a moved file would count as another step. */
import { readdir } from "node:fs/promises";
import { join } from "node:path/posix";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { places } from "../../bench/parts/steps.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const names = await readdir(join(root, "src"), { recursive: true });
const sources = names.filter((name) => name.endsWith(".ts")).map((name) => `/src/${name}`);

test.each(places.filter(([place]) => !place.source.includes("node_modules")))(
  "%s is the first place of some file: %s",
  (place) => {
    const first = sources.find(
      (source) => places.find(([candidate]) => candidate.test(source))?.[0] === place,
    );
    expect(first).toBeDefined();
  },
);
