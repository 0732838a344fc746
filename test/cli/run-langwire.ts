/** The package's command out of the sources, in a process of its own. */
import { execFile } from "node:child_process";
import { mkdir, mkdtempDisposable, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFailed } from "vitest";
import { type StartedProgram, startProgram } from "../support/child-process.ts";

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

export interface Project extends AsyncDisposable {
  readonly folder: string;
  write(file: string, text: string): Promise<void>;
  /** Starts the command in the project, on a free port. */
  start(args: readonly string[], env?: Readonly<Record<string, string>>): StartedProgram;
  /** The same on a terminal, which `script` gives it. */
  startOnTerminal(args: readonly string[], env: Readonly<Record<string, string>>): StartedProgram;
}

/** A project of a user's own, in a folder of its own, with the packages that it has installed. */
export async function openProject(files: Readonly<Record<string, string>>): Promise<Project> {
  const folder = await mkdtempDisposable(join(tmpdir(), "langwire-project-"));
  const write = async (file: string, text: string) => {
    await mkdir(dirname(join(folder.path, file)), { recursive: true });
    await writeFile(join(folder.path, file), text);
  };
  await mkdir(join(folder.path, "node_modules"));
  for (const name of ["@langchain", "zod"]) {
    await symlink(join(root, "node_modules", name), join(folder.path, "node_modules", name));
  }
  await symlink(root, join(folder.path, "node_modules/langwire"));
  for (const [file, text] of Object.entries(files)) await write(file, text);
  const started = (command: string, args: readonly string[], env = {}): StartedProgram => {
    const surroundings = { PORT: "0", LOG_LEVEL: "info", ...env };
    const program = startProgram(command, args, { cwd: folder.path, env: surroundings });
    onTestFailed(() => void process.stderr.write(program.output));
    return program;
  };
  return {
    folder: folder.path,
    write,
    start: (args, env) => started(process.execPath, [...nodeArguments, ...args], env),
    startOnTerminal: (args, env) => {
      const words = [process.execPath, ...nodeArguments, ...args].map((word) => `'${word}'`);
      return started("script", ["-qfec", words.join(" "), "/dev/null"], env);
    },
    [Symbol.asyncDispose]: () => folder.remove(),
  };
}

/** @returns where it listens */
export async function listening(program: StartedProgram): Promise<string> {
  const [, url = ""] = await program.printed(/listening at (http:\/\/127\.0\.0\.1:\d+)/);
  return url;
}
