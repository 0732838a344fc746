/** A process of the bench on a core of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Answer } from "./commands.ts";

export interface PinnedProcessOptions {
  /** A file of the bench. */
  readonly script: string;
  readonly args?: readonly string[];
  readonly core: number;
  readonly nodeOptions?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const endsWithinMs = 10_000;

export class PinnedProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #lastId = 0;
  #stderr = "";

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-4_000);
    });
    child.on("message", ({ id, result, error }: Answer) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) waiting?.resolve(result);
      else waiting?.reject(new Error(error));
    });
    child.once("exit", (code, signal) => {
      const died = new Error(
        `${child.spawnargs.at(-1)} ended (${code ?? signal})\n${this.#stderr}`,
      );
      for (const { reject } of this.#waiting.values()) reject(died);
      this.#waiting.clear();
    });
  }

  /** Settles when the process is ready for commands. */
  static async start(options: PinnedProcessOptions): Promise<PinnedProcess> {
    const { script, args = [], core, nodeOptions = [], env = {} } = options;
    const node = [process.execPath, ...nodeOptions, script, ...args];
    const child = spawn("taskset", ["--cpu-list", String(core), ...node], {
      cwd: import.meta.dirname,
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      env: { ...process.env, NODE_ENV: "production", ...env },
    });
    const started = new PinnedProcess(child);
    const ready = Promise.withResolvers<unknown>();
    started.#waiting.set(0, ready);
    await ready.promise;
    return started;
  }

  async call<T>(name: string, argument?: unknown): Promise<T> {
    const id = ++this.#lastId;
    const answer = Promise.withResolvers<unknown>();
    this.#waiting.set(id, answer);
    this.#child.send({ id, name, argument });
    return (await answer.promise) as T;
  }

  get stderr(): string {
    return this.#stderr;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), endsWithinMs);
    this.#child.disconnect();
    await once(this.#child, "exit");
    clearTimeout(timer);
  }
}
