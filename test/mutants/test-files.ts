/**
 * Runs files of tests in one tree, one at a time, each as far as its first failure. One Vitest for all of
 * them: to start it, and to read the sources anew each time, takes longer than most tests.
 */
import { readFile } from "node:fs/promises";
import { inspect } from "node:util";
import { createVitest, type TestModule, type Vitest } from "vitest/node";

export interface Failure {
  readonly test: string;
  /** The first line of what it said. */
  readonly why: string;
}

/** A slip may make a test wait for what never comes. */
const testTimeoutMs = 20_000;
/** … or a file turn in a circle, in which no time limit of its own is noticed. */
const fileTimeoutMs = 180_000;

export class TestFiles implements AsyncDisposable {
  readonly #vitest: Vitest;

  private constructor(vitest: Vitest) {
    this.#vitest = vitest;
  }

  /** @param root of the tree, where the process has to be as well */
  static async in(root: string): Promise<TestFiles> {
    const vitest = await createVitest({
      ...{ root, watch: false, bail: 1, maxWorkers: 1, silent: true, reporters: [{}] },
      ...{ testTimeout: testTimeoutMs, hookTimeout: testTimeoutMs },
      typecheck: { enabled: false },
    });
    await vitest.standalone();
    return new TestFiles(vitest);
  }

  /** @param path of a file that was written since it was read */
  changed(path: string): void {
    this.#vitest.invalidateFile(path);
  }

  /**
   * @param file from the root of the tree
   * @param named part of the name of the tests in it that are run
   */
  async failureIn(file: string, named?: string): Promise<Failure | undefined> {
    const vitest = this.#vitest;
    if (named === undefined) vitest.resetGlobalTestNamePattern();
    else vitest.setGlobalTestNamePattern(new RegExp(literal(named)));
    // What failed before would count, and end this at once.
    vitest.state.filesMap.clear();
    vitest.state.idMap.clear();
    process.exitCode = 0;
    const specifications = await vitest.globTestSpecifications([file]);
    const tooLong = setTimeout(() => void killChildren(), fileTimeoutMs);
    const { testModules, unhandledErrors } = await vitest.runTestSpecifications(specifications);
    clearTimeout(tooLong);
    process.exitCode = 0;
    const [failure] = testModules.flatMap(failuresIn);
    if (failure !== undefined) return failure;
    const [unhandled] = unhandledErrors;
    if (unhandled !== undefined) return { test: file, why: firstLine(inspect(unhandled)) };
    const ran = testModules.flatMap(({ children }) => [...children.allTests("passed")]);
    return ran.length === 0 ? { test: file, why: "no test was run" } : undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#vitest.close();
  }
}

/** Of this process, by Linux's list: the one that runs the tests, which is then an error of theirs. */
async function killChildren(): Promise<void> {
  const list = `/proc/self/task/${process.pid}/children`;
  for (const pid of (await readFile(list, "utf8")).trim().split(" "))
    process.kill(Number(pid), "SIGKILL");
}

function failuresIn(module: TestModule): Failure[] {
  const tests = [...module.children.allTests("failed")].map((test) => ({
    test: test.fullName,
    why: firstLine(test.result().errors?.[0]?.message ?? ""),
  }));
  const around = module.ok() ? [] : [...module.children.allSuites(), module];
  const others = around.flatMap((suite) =>
    suite
      .errors()
      .map(({ message }) => ({ test: module.relativeModuleId, why: firstLine(message) })),
  );
  return [...tests, ...others];
}

const literal = (text: string): string => text.replaceAll(/[^\w\s]/g, "\\$&");
const firstLine = (text: string): string => text.split("\n", 1)[0] ?? "";
