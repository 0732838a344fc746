/** A copy of the tree that slips are put into, one at a time. */
import { cp, mkdtempDisposable, readFile, symlink, writeFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Guard } from "./guard.ts";
import { type Failure, TestFiles } from "./test-files.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const copied = ["src", "client", "test", "examples", "scripts", "docs"];
const files = [
  "package.json",
  "vitest.config.ts",
  "tsconfig.json",
  "README.md",
  "PROTOCOL.md",
  ".env.example",
];

export interface Finding {
  readonly what: "noticed" | "unnoticed" | "no such code" | "fails anyway";
  /** By which it was noticed. */
  readonly failure?: Failure;
}

export class SlippedTree implements AsyncDisposable {
  readonly #folder: string;
  readonly #tests: TestFiles;
  readonly #stack: AsyncDisposableStack;
  /** By file of tests: whether it fails without any slip. */
  readonly #asItIs = new Map<string, Promise<boolean>>();

  private constructor(folder: string, tests: TestFiles, stack: AsyncDisposableStack) {
    this.#folder = folder;
    this.#tests = tests;
    this.#stack = stack;
  }

  /** Makes the copy, and is in it from then on. */
  static async copy(): Promise<SlippedTree> {
    await using making = new AsyncDisposableStack();
    const { path } = making.use(await mkdtempDisposable(join(tmpdir(), "langwire-guards-")));
    const filter = (from: string) => !/\/(node_modules|\.sandbox[^/]*|reports)(\/|$)/.test(from);
    for (const name of [...copied, ...files]) {
      await cp(join(root, name), join(path, name), { recursive: true, filter });
    }
    await symlink(join(root, "node_modules"), join(path, "node_modules"));
    process.chdir(path);
    making.defer(() => process.chdir(root));
    const tests = making.use(await TestFiles.in(path));
    return new SlippedTree(path, tests, making.move());
  }

  /** Runs the tests that have to notice the slip, one file after another until one fails. */
  async find({ file, code, becomes, tests, named }: Guard): Promise<Finding> {
    const path = join(this.#folder, file);
    const text = await readFile(path, "utf8");
    if (text.split(code).length !== 2) return { what: "no such code" };
    const slipped = text.replace(code, () => becomes);
    // What is no program at all would be noticed by every test.
    stripTypeScriptTypes(slipped);
    for (const test of tests) {
      await this.#write(path, slipped);
      const trying = this.#tests.failureIn(test, named);
      const failure = await trying.finally(() => this.#write(path, text));
      if (failure === undefined) continue;
      return { what: (await this.#failsAnyway(test, named)) ? "fails anyway" : "noticed", failure };
    }
    return { what: "unnoticed" };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack[Symbol.asyncDispose]();
  }

  async #write(path: string, text: string): Promise<void> {
    await writeFile(path, text);
    this.#tests.changed(path);
  }

  #failsAnyway(test: string, named: string | undefined): Promise<boolean> {
    const key = `${test} ${named}`;
    const known =
      this.#asItIs.get(key) ??
      this.#tests.failureIn(test, named).then((failure) => failure !== undefined);
    this.#asItIs.set(key, known);
    return known;
  }
}
