/** A folder in which the packages of this repository are installed beside all that they need. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root, type Sample } from "./samples.ts";

export interface SampleProject extends AsyncDisposable {
  readonly folder: string;
  /** Writes a sample as a module beside those of its document, by its title if it has one. @returns its path */
  add(sample: Sample): Promise<string>;
  /** What tsc has to say about all of them, with the place in the document; empty when it is well. */
  typeCheck(): Promise<string>;
}

const compilerOptions = {
  target: "es2024",
  lib: ["es2024", "dom", "dom.iterable", "esnext.disposable"],
  module: "nodenext",
  jsx: "react-jsx",
  types: ["node"],
  customConditions: ["langwire-source"],
  strict: true,
  erasableSyntaxOnly: true,
  allowImportingTsExtensions: true,
  skipLibCheck: true,
  noEmit: true,
};

export async function openSampleProject(): Promise<SampleProject> {
  const folder = await mkdtemp(join(tmpdir(), "langwire-samples-"));
  const modules = join(folder, "node_modules");
  await mkdir(modules);
  const installed = (await readdir(join(root, "node_modules"))).filter((name) => !/^\./.test(name));
  for (const name of installed)
    await symlink(join(root, "node_modules", name), join(modules, name));
  await symlink(root, join(modules, "langwire"));
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  await writeFile(
    join(folder, "tsconfig.json"),
    JSON.stringify({ compilerOptions, include: ["*/*.ts", "*/*.tsx"] }),
  );
  return {
    folder,
    add: async ({ place, language, title, code }) => {
      const [document = "", line = ""] = place.split(":");
      const beside = join(folder, document.replaceAll(/[^\w.]/g, "_"));
      await mkdir(beside, { recursive: true });
      const path = join(beside, title ?? `${line}.${language}`);
      // Without an import or export it would be a script, and share its names with the others.
      await writeFile(path, /^(import|export) /m.test(code) ? code : `${code}\nexport {};\n`);
      return path;
    },
    typeCheck: () =>
      new Promise((resolve) => {
        const tsc = join(root, "node_modules/typescript/bin/tsc");
        execFile(process.execPath, [tsc, "-p", folder], { cwd: folder }, (error, out, err) =>
          resolve(error === null ? "" : out + err),
        );
      }),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}
