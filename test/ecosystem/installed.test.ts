import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { withEcosystem } from "./installed.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

await withEcosystem(
  "the check that this folder stands on the main install's LangChain",
  async () => {
    const packages = readdirSync(new URL("node_modules/@langchain", import.meta.url));
    test.each([...packages.map((name) => `@langchain/${name}`), "deepagents"])(
      "%s uses the LangChain that Langwire uses",
      (name) => {
        const here = createRequire(createRequire(import.meta.url).resolve(name));
        for (const shared of ["@langchain/core/messages", "@langchain/langgraph", "langchain"]) {
          expect(
            here.resolve(shared).startsWith(`${root}node_modules/`),
            here.resolve(shared),
          ).toBe(true);
        }
      },
    );

    test("its types hold, which the main check leaves out with the packages", async () => {
      const project = fileURLToPath(new URL(".", import.meta.url));
      const said = await promisify(execFile)(`${root}node_modules/.bin/tsc`, ["-p", project]).then(
        ({ stdout }) => stdout,
        ({ stdout }: { stdout: string }) => stdout,
      );
      expect(said).toBe("");
    });
  },
);
