/** Browsers that the machine has, for tests that need one. */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, test } from "vitest";

interface BrowserNeed {
  readonly title: string;
  /** Names of its program, the first that there is counts. */
  readonly programs: readonly string[];
  readonly debianPackage: string;
}

/**
 * Declares tests that need a browser. Where there is none, one test says so; with CI=true it fails.
 * @param declare is given where the browser's program is
 */
export function describeWithBrowser(
  name: string,
  { title, programs, debianPackage }: BrowserNeed,
  declare: (executablePath: string) => void,
): void {
  const executablePath = findOnPath(programs);
  // A browser on a busy machine takes its time; a test that hangs fails by its own locator's.
  describe(name, () => {
    if (executablePath !== undefined) {
      declare(executablePath);
      return;
    }
    test(`a ${title} to test with`, ({ skip }) => {
      const why = `there is no ${programs[0]} on the PATH (Debian: apt-get install ${debianPackage})`;
      if (process.env.CI === "true") throw new Error(why);
      console.warn(`\n*** SKIPPED: ${name}: ${why}\n`);
      skip(why);
    });
  });
}

function findOnPath(names: readonly string[]): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const places = folders.flatMap((folder) => names.map((name) => join(folder, name)));
  return places.find((place) => {
    try {
      accessSync(place, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
