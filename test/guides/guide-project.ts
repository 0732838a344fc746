/** The folder in which a guide is followed, and what its reader installs there. */
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { root } from "../docs/samples.ts";

/** Where packages are, whatever a reader's npm would bring. */
const installs = ["node_modules", "test/guides/node_modules", "test/ecosystem/node_modules"];

/** Programs that have to be told that the packages are linked sources. */
const bundlers: Readonly<Record<string, string | undefined>> = {
  vite: "node_modules/vite/bin/vite.js",
  vitest: "node_modules/vitest/vitest.mjs",
};

export interface GuideProject extends AsyncDisposable {
  readonly folder: string;
  write(path: string, text: string): Promise<void>;
  /** Puts a package there, and its commands. */
  install(name: string): Promise<void>;
}

/**
 * An empty folder. The packages of this repository are its sources, linked; nothing is there that a guide
 * does not install.
 */
export async function openGuideProject(): Promise<GuideProject> {
  const folder = await mkdtemp(join(tmpdir(), "langwire-guide-"));
  const modules = join(folder, "node_modules");
  const commands = join(modules, ".bin");
  await mkdir(commands, { recursive: true });

  async function link(name: string, target: string): Promise<void> {
    const place = join(modules, name);
    if (existsSync(place)) return;
    await mkdir(dirname(place), { recursive: true });
    await symlink(target, place);
  }

  /** A command of the repository's own, from its sources as the packages are. */
  async function command(name: string, source: string): Promise<void> {
    const file = join(commands, name);
    await writeFile(file, `#!/bin/sh\nexec node ${join(root, source)} "$@"\n`);
    await chmod(file, 0o755);
  }

  return {
    folder,
    write: (path, text) => writeInto(folder, path, text),
    async install(name) {
      const program = bundlers[name];
      if (program !== undefined) {
        const config = join(root, "test/guides/linked-vite.config.ts");
        await command(name, `${program} --config ${config}`);
        if (name === "vite") return;
      }
      if (name === "langwire") {
        await link(name, root);
        return command(name, "test/guides/langwire.ts");
      }
      if (name === "langwire-client") {
        await link(name, join(root, "client"));
        return command("langwire-chat", "client/src/cli/main.ts");
      }
      const found = installs
        .map((place) => join(root, place, name))
        .find((path) => existsSync(path));
      if (found === undefined) throw new Error(`${name} is installed for no test`);
      await link(name, found);
      const { bin = {} }: { bin?: string | Record<string, string> } = JSON.parse(
        await readFile(join(found, "package.json"), "utf8"),
      );
      const bins = typeof bin === "string" ? { [name]: bin } : bin;
      for (const [word, path] of Object.entries(bins)) {
        await link(`.bin/${word}`, join(found, path));
      }
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

export async function writeInto(folder: string, path: string, text: string): Promise<void> {
  const file = join(folder, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}
