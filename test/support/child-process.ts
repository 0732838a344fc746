/** A program as its users start it, with what it printed so far. It is ended with the scope. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

export interface StartedProgram extends AsyncDisposable {
  readonly child: ChildProcess;
  /** Everything printed so far, on both streams. */
  readonly output: string;
  /** Settles with the match once the pattern was printed; rejects when the program ends before. */
  printed(pattern: RegExp): Promise<RegExpMatchArray>;
  /** Settles with the exit code or the signal. */
  readonly exited: Promise<number | NodeJS.Signals>;
}

export function startProgram(
  command: string,
  args: readonly string[],
  options: {
    cwd?: string;
    env?: Record<string, string | undefined>;
    /** Makes it the first of a process group, as a terminal does: its id is the group's. */
    detached?: boolean;
  } = {},
): StartedProgram {
  const child = spawn(command, args, {
    cwd: options.cwd,
    detached: options.detached,
    // On a busy machine a server refuses runs, which is not what is tried with one that is a process.
    env: { MAX_LOOP_LAG_MS: "60000", ...process.env, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const waiting = new Set<() => void>();
  const take = (chunk: string): void => {
    output += chunk;
    for (const look of waiting) look();
  };
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", take);
  const exited = once(child, "close").then(([code, signal]) => code ?? signal);
  return {
    child,
    exited,
    get output() {
      return output;
    },
    printed: (pattern) => {
      const { promise, resolve, reject } = Promise.withResolvers<RegExpMatchArray>();
      const look = (): void => {
        const match = output.match(pattern);
        if (match === null) return;
        waiting.delete(look);
        resolve(match);
      };
      waiting.add(look);
      look();
      exited.then((code) => reject(new Error(`ended with ${code}, having printed:\n${output}`)));
      return promise;
    },
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
      await exited;
    },
  };
}
