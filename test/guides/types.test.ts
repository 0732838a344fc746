/** The guides' files compile, as strictly as a reader may have it. (Next.js checks its own as it builds.) */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../docs/samples.ts";
import { startProgram } from "../support/child-process.ts";
import { withOwnInstall } from "../support/own-install.ts";
import { openGuideProject } from "./guide-project.ts";
import { packagesIn, stepsOf } from "./guide-steps.ts";

const compilerOptions = {
  ...{ target: "es2024", lib: ["es2024", "dom", "dom.iterable", "esnext.disposable"] },
  ...{ module: "nodenext", jsx: "react-jsx", types: ["node"], strict: true, noEmit: true },
  ...{ noUncheckedIndexedAccess: true, erasableSyntaxOnly: true, verbatimModuleSyntax: true },
  ...{ allowImportingTsExtensions: true, skipLibCheck: true },
  customConditions: ["langwire-source"],
};
const checkedElsewhere = new Set(["README.md", "nextjs.md"]);
const types = ["typescript", "@types/node", "@types/react", "@types/react-dom"];

await withOwnInstall("guides", "the types of the guides", async () => {
  await withOwnInstall("ecosystem", "the types of the guides", async () => {
    test("every guide's files compile", async () => {
      await using project = await openGuideProject();
      const installed = new Set(types);
      for (const file of await readdir(join(root, "docs/guides"))) {
        if (checkedElsewhere.has(file)) continue;
        for (const step of await stepsOf(`docs/guides/${file}`)) {
          if (step.type === "file") await project.write(join(file, step.path), step.text);
          if (step.type === "command")
            for (const name of packagesIn(step.line)) installed.add(name);
        }
      }
      for (const name of installed) await project.install(name);
      await project.write("package.json", JSON.stringify({ type: "module" }));
      await project.write("tsconfig.json", JSON.stringify({ compilerOptions, include: ["*/*"] }));
      const tsc = join(project.folder, "node_modules/.bin/tsc");
      await using program = startProgram(tsc, ["-p", ".", "--pretty", "false"], {
        cwd: project.folder,
      });
      expect([await program.exited, program.output]).toEqual([0, ""]);
    });
  });
});
