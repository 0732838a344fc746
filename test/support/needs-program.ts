/** Tests that need a program of the machine's, which npm cannot bring. */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, test } from "vitest";

export interface NeededProgram {
  /** Its name in the PATH. */
  readonly command: string;
  /** Debian's package that has it. */
  readonly debianPackage: string;
}

/**
 * Declares tests that need a program. Where it is not installed, one test says so; with CI=true it
 * fails.
 */
export function needsProgram(name: string, program: NeededProgram, declare: () => void): void {
  const { command, debianPackage } = program;
  describe(name, () => {
    if (isInstalled(command)) {
      declare();
      return;
    }
    test(`a ${command} to test with`, ({ skip }) => {
      const why = `${command} is not installed (Debian: apt-get install ${debianPackage})`;
      if (process.env.CI === "true") throw new Error(why);
      console.warn(`\n*** SKIPPED: ${name}. ${why}\n`);
      skip(why);
    });
  });
}

/** Debian keeps servers in folders that are not in everybody's PATH. */
export const programPath = [process.env.PATH ?? "", "/usr/sbin", "/usr/local/sbin"].join(delimiter);

function isInstalled(command: string): boolean {
  return programPath.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
