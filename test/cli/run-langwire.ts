/** The package's command out of the sources, in a process of its own. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const command = new URL("../../src/cli/langwire.ts", import.meta.url);
const program = `import { langwire } from ${JSON.stringify(command)}; await langwire(process.argv.slice(1));`;

/** Arguments of Node.js that run it; its own come after them. */
export const nodeArguments = [
  "--conditions=langwire-source",
  "--input-type=module",
  "--eval",
  program,
  "--",
];

export interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Surroundings {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs it to its end. */
export function runLangwire(
  args: readonly string[],
  { cwd = root, env = {} }: Surroundings = {},
): Promise<Answer> {
  const options = { cwd, env: { ...process.env, ...env } };
  return new Promise((resolve) => {
    execFile(process.execPath, [...nodeArguments, ...args], options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      resolve({ code, stdout, stderr });
    });
  });
}
