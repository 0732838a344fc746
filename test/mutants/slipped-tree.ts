/** A copy of the tree that slips are put into, one at a time. */
import { cp, mkdtempDisposable, readFile, symlink, writeFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Failure, failureIn } from "./failure-in.ts";
import type { Guard } from "./guard.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const copied = ["src", "client", "test", "examples", "scripts", "docs"];
const files = ["package.json", "vitest.config.ts", "tsconfig.json", "README.md", "PROTOCOL.md"];

export interface Finding {
  readonly what: "noticed" | "unnoticed" | "no such code" | "fails anyway";
  /** By which it was noticed. */
  readonly failure?: Failure;
}

export class SlippedTree implements AsyncDisposable {
  readonly #folder: AsyncDisposable & { readonly path: string };
  /** By file of tests: whether it fails without any slip. */
  readonly #asItIs = new Map<string, Promise<boolean>>();

  private constructor(folder: AsyncDisposable & { readonly path: string }) {
    this.#folder = folder;
  }

  static async copy(): Promise<SlippedTree> {
    const folder = await mkdtempDisposable(join(tmpdir(), "langwire-guards-"));
    const filter = (path: string) => !/\/(node_modules|\.sandbox[^/]*|reports)(\/|$)/.test(path);
    for (const name of [...copied, ...files]) {
      await cp(join(root, name), join(folder.path, name), { recursive: true, filter });
    }
    await symlink(join(root, "node_modules"), join(folder.path, "node_modules"));
    return new SlippedTree(folder);
  }

  /** Runs the tests that have to notice the slip, one file after another until one fails. */
  async find({ file, code, becomes, tests }: Guard): Promise<Finding> {
    const path = join(this.#folder.path, file);
    const text = await readFile(path, "utf8");
    if (text.split(code).length !== 2) return { what: "no such code" };
    const slipped = text.replace(code, () => becomes);
    // What is no program at all would be noticed by every test.
    stripTypeScriptTypes(slipped);
    for (const test of tests) {
      await writeFile(path, slipped);
      const failure = await this.#failureIn(test).finally(() => writeFile(path, text));
      if (failure === undefined) continue;
      return { what: (await this.#failsAnyway(test)) ? "fails anyway" : "noticed", failure };
    }
    return { what: "unnoticed" };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#folder[Symbol.asyncDispose]();
  }

  #failureIn(test: string): Promise<Failure | undefined> {
    return failureIn(this.#folder.path, test);
  }

  #failsAnyway(test: string): Promise<boolean> {
    const known =
      this.#asItIs.get(test) ?? this.#failureIn(test).then((failure) => failure !== undefined);
    this.#asItIs.set(test, known);
    return known;
  }
}
