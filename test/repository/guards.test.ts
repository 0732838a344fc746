/** The slips that `npm run test:mutants` puts in are slips in the code that there is. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path/posix";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { guards } from "../mutants/guards/all.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

test("each stands in its file once, and names tests that there are", async () => {
  const stale: string[] = [];
  for (const { slip, file, code, tests } of guards) {
    const text = existsSync(join(root, file)) ? await readFile(join(root, file), "utf8") : "";
    if (text.split(code).length !== 2) stale.push(`${slip}: ${file}`);
    for (const named of tests) if (!existsSync(join(root, named))) stale.push(`${slip}: ${named}`);
  }
  expect(stale).toEqual([]);
});
