/** Who is RATE_LIMITED is told by which limit: every such refusal is made where it gets its name and its number. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path/posix";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../src", import.meta.url));

test("no refusal for a limit is made but by the one that names it", () => {
  const making = readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .filter((name) =>
      readFileSync(join(root, name), "utf8").includes('LangwireError("RATE_LIMITED"'),
    );
  expect(making).toEqual(["runs/admission/used-up.ts"]);
});
