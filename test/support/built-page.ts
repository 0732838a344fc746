/** The page as it is built for everybody: a test's own NODE_ENV would make it another one. */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const script = fileURLToPath(new URL("../../client/page/build.ts", import.meta.url));

/** @returns the folder, which is gone when the stack is disposed of */
export async function buildPage(stack: AsyncDisposableStack): Promise<string> {
  const outDir = await mkdtemp(join(tmpdir(), "langwire-page-"));
  stack.defer(() => rm(outDir, { recursive: true }));
  const env = { ...process.env, NODE_ENV: "production" };
  await promisify(execFile)(process.execPath, [script, "--out", outDir], { env });
  return outDir;
}
