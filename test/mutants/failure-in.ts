/** Runs one file of tests, as far as its first failure. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempDisposable, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Failure {
  readonly test: string;
  /** The first line of what it said. */
  readonly why: string;
}

/** A slip may make a test wait for what never comes. */
const testTimeoutMs = 20_000;
/** … or a file that cannot end. */
const fileTimeoutMs = 240_000;

/** The part of vitest's JSON report that is read here. */
interface Report {
  readonly testResults: readonly {
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

/** @param cwd the copy of the tree that is tried */
export async function failureIn(cwd: string, file: string): Promise<Failure | undefined> {
  await using folder = await mkdtempDisposable(join(tmpdir(), "langwire-guard-report-"));
  const outputFile = join(folder.path, "report.json");
  const vitest = join(cwd, "node_modules/vitest/vitest.mjs");
  const limits = [`--testTimeout=${testTimeoutMs}`, `--hookTimeout=${testTimeoutMs}`];
  const options = ["--bail=1", "--maxWorkers=1", "--typecheck.enabled=false", ...limits];
  const report = ["--reporter=json", `--outputFile=${outputFile}`];
  const running = spawn(process.execPath, [vitest, "run", file, ...options, ...report], {
    cwd,
    stdio: "ignore",
    timeout: fileTimeoutMs,
    killSignal: "SIGKILL",
  });
  const [code] = await once(running, "exit");
  if (code === 0) return undefined;
  const { testResults } = await readFile(outputFile, "utf8").then(
    (text) => JSON.parse(text) as Report,
    () => ({ testResults: [] }),
  );
  for (const { status, message, assertionResults } of testResults) {
    const failed = assertionResults.find((result) => result.status === "failed");
    if (failed) return { test: failed.fullName, why: firstLine(failed.failureMessages.join()) };
    if (status === "failed") return { test: file, why: firstLine(message) };
  }
  return { test: file, why: `ended with ${code ?? "a signal"}` };
}

const firstLine = (text: string): string => text.split("\n", 1)[0] ?? "";
