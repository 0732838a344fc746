/** Whether this folder's own packages are here: the main install leaves them out. */
import { existsSync } from "node:fs";
import { expect, test } from "vitest";

const isInstalled = existsSync(new URL("node_modules/.package-lock.json", import.meta.url));

/**
 * Registers the tests of a module that imports this folder's packages. Without the packages, one
 * test says what is left out, and fails where everything must be there: in CI.
 */
export async function withEcosystem(what: string, load: () => Promise<unknown>): Promise<void> {
  if (isInstalled) {
    await load();
    return;
  }
  const missing = `LEFT OUT: ${what}. For it: npm ci --prefix test/ecosystem`;
  console.warn(missing);
  test(missing, () => {
    expect(process.env.CI, "CI has to install test/ecosystem").toBeUndefined();
  });
}
