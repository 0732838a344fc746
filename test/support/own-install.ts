/** Folders of tests with packages of their own, which the main install leaves out. */
import { existsSync } from "node:fs";
import { expect, test } from "vitest";

/**
 * Registers the tests of a module that needs a folder's packages. Without them, one test says what is
 * left out, and fails where everything must be there: in CI.
 * @param folder of `test`
 */
export async function withOwnInstall(
  folder: string,
  what: string,
  load: () => Promise<unknown>,
): Promise<void> {
  const lock = new URL(`../${folder}/node_modules/.package-lock.json`, import.meta.url);
  if (existsSync(lock)) {
    await load();
    return;
  }
  const missing = `LEFT OUT: ${what}. For it: npm ci --prefix test/${folder}`;
  console.warn(missing);
  test(missing, () => {
    expect(process.env.CI, `CI has to install test/${folder}`).toBeUndefined();
  });
}
