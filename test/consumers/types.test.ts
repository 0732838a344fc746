/**
 * The packed client under the compilers that applications have, as strict as they can be, and with no
 * more of a library than it says it needs: neither `esnext.disposable` nor Node's types.
 */
import { cp, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { full } from "../faults/form.ts";
import type { PackedProject } from "../packages/packed.ts";
import { withOwnInstall } from "../support/own-install.ts";
import { openConsumer, ownProgram } from "./project.ts";

const timeoutMs = 240_000;

await withOwnInstall("consumers", "the client's types under other compilers", async () => {
  let project: PackedProject;

  beforeAll(async () => {
    project = await openConsumer();
    const programs = fileURLToPath(new URL("programs", import.meta.url));
    await cp(programs, project.folder, { recursive: true });
    const core = await readFile(`${programs}/core.ts`, "utf8");
    await project.write("core.cts", core);
  });
  afterAll(() => project?.[Symbol.asyncDispose]());

  const compilers = {
    "5.4": ownProgram("typescript-5.4/bin/tsc"),
    "5.7": ownProgram("typescript-5.7/bin/tsc"),
    "6.0": ownProgram("typescript-6.0/bin/tsc"),
    "7.0": fileURLToPath(new URL("../../node_modules/typescript/bin/tsc", import.meta.url)),
  };
  type Version = keyof typeof compilers;

  /** What is wrong in the client's own types, in the program, and in what the client stands on. */
  async function errorsOf(version: Version, module: string, ...files: string[]): Promise<string[]> {
    const [kind, moduleResolution] = {
      bundler: ["esnext", "bundler"],
      nodenext: ["nodenext", "nodenext"],
      node10: ["commonjs", "node10"],
    }[module] ?? [module, module];
    const compilerOptions = {
      ...{ strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false, noEmit: true },
      ...{ target: "es2022", lib: ["es2022", "dom", "dom.iterable"], types: [], jsx: "react-jsx" },
      ...{ module: kind, moduleResolution },
      ...(version === "6.0" && module === "node10" && { ignoreDeprecations: "6.0" }),
    };
    const config = `${version}-${module}-${files[0]}.json`;
    await project.write(config, JSON.stringify({ compilerOptions, files }));
    const said = await project
      .run(process.execPath, compilers[version], "--pretty", "false", "-p", config)
      .catch(({ message }: Error) => message);
    return said.split("\n").filter((line) => / error TS\d+/.test(line));
  }

  /** Those of others' declarations, which no change of ours makes good. */
  const ofOthers = (line: string) => /node_modules\/(@trpc|@ai-sdk|ai)\//.test(line);

  const all = ["bundler", "nodenext", "node10"];

  /** In the short form each resolution and each compiler once, as an older compiler takes seconds. */
  const table: readonly (readonly [Version, string])[] = [
    ...all.map((module) => ["5.7", module] as const),
    ...all.map((module) => ["6.0", module] as const),
    // TypeScript 7 knows no node10.
    ["7.0", "bundler"],
    ["7.0", "nodenext"],
  ];
  const short = new Set(["5.7 node10", "6.0 nodenext", "7.0 bundler", "7.0 nodenext"]);

  test.each(table.filter(([version, module]) => full || short.has(`${version} ${module}`)))(
    "TypeScript %s, resolution %s: no error anywhere",
    async (version, module) => {
      // Before 5.8 a CommonJS module cannot import another kind under nodenext.
      const programs = ["core.ts", "react.tsx", ...(version === "5.7" ? [] : ["core.cts"])];
      expect(await errorsOf(version, module, ...programs)).toEqual([]);
    },
    timeoutMs,
  );

  test.each(full ? all : ["bundler"])(
    "TypeScript 5.4, resolution %s: no error but tRPC's own, which asks for 5.7",
    async (module) => {
      const errors = await errorsOf("5.4", module, "core.ts", "react.tsx");
      expect(errors.filter((line) => !ofOthers(line))).toEqual([]);
    },
    timeoutMs,
  );

  test.each(full ? ["bundler", "nodenext"] : ["bundler"])(
    "under the AI SDK, resolution %s: none of ours",
    async (module) => {
      const errors = await errorsOf("7.0", module, "ai-sdk.tsx");
      expect(errors.filter((line) => !ofOthers(line))).toEqual([]);
    },
    timeoutMs,
  );

  test.each([
    ["7.0", "bundler"],
    ["7.0", "nodenext"],
    ...(full ? ([["5.7", "node10"]] as const) : []),
  ] as const)(
    "TypeScript %s, resolution %s: a wrong program is told so",
    async (version, module) => {
      const wrong = `import { createClient } from "langwire-client";\ncreateClient({ url: 1 });\n`;
      await project.write("wrong.ts", wrong);
      const errors = await errorsOf(version, module, "wrong.ts");
      expect(errors).toEqual([expect.stringContaining("TS2322")]);
    },
    timeoutMs,
  );
});
