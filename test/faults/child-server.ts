/** The server as its users start it, in a process of its own that can be stopped and killed. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { freePort } from "../support/free-port.ts";

const mainFile = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const probe = new URL("./child-probe.ts", import.meta.url).href;

/** What is refused for being too much is tested elsewhere. */
const roomySettings = {
  MAX_RUNS_PER_MINUTE: "100000",
  MAX_LIVE_RUNS_PER_USER: "100000",
  MAX_CONVERSATIONS_PER_MINUTE: "100000",
  MAX_CONNECTIONS: "30000",
  MAX_HTTP_CONNECTIONS_PER_ADDRESS: "20000",
  MAX_SOCKETS: "20000",
  MAX_SOCKETS_PER_ADDRESS: "20000",
  MAX_SOCKETS_PER_USER: "20000",
  MAX_SUBSCRIPTIONS_PER_USER: "20000",
  MAX_CALLS_PER_SECOND_PER_USER: "1000000",
  MAX_HTTP_REQUESTS_PER_SECOND: "1000000",
  MAX_LOOP_LAG_MS: "60000",
};

/** For tests of the limits themselves: every one of them as it is by default. */
export const defaultLimits: Readonly<Record<string, string>> = Object.fromEntries(
  Object.keys(roomySettings).map((name) => [name, ""]),
);

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class ChildServer implements AsyncDisposable {
  readonly port: number;
  /** Lines of its log that tell of a failure, and whatever it wrote besides its log. */
  readonly complaints: readonly string[];
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;

  constructor(child: ChildProcess, options: { port: number; complaints: string[] }) {
    this.#child = child;
    this.port = options.port;
    this.complaints = options.complaints;
    this.exited = once(child, "exit").then(([code, signal]) => ({ code, signal }));
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}/trpc`;
  }

  get readyUrl(): string {
    return `http://127.0.0.1:${this.port}/readyz`;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Bytes that the system has given it, garbage and all. */
  rssBytes(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, "utf8");
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
  }

  async memory(): Promise<{ held: number; rss: number }> {
    const answer = once(this.#child, "message");
    this.#child.send("memory");
    return (await answer)[0];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill("SIGKILL");
    await this.exited;
  }
}

/**
 * @param settings environment variables of the server
 * @param modules loaded before its own code
 */
export async function startChildServer(
  settings: Record<string, string>,
  ...modules: readonly string[]
): Promise<ChildServer> {
  const child = fork(mainFile, {
    execArgv: [probe, ...modules].flatMap((module) => ["--import", module]),
    env: { PATH: process.env.PATH, PORT: String(await freePort()), ...roomySettings, ...settings },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const complaints: string[] = [];
  const listening = Promise.withResolvers<number>();
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error("the child has no output");
  createInterface(stderr).on("line", (line) => complaints.push(line));
  createInterface(stdout).on("line", (line) => {
    const { level, msg } = JSON.parse(line) as { level: number; msg?: string };
    const port = /^Server listening at .*:(\d+)$/.exec(msg ?? "")?.[1];
    if (port !== undefined) listening.resolve(Number(port));
    if (level >= 50) complaints.push(line);
  });
  child.once("exit", () => listening.reject(new Error(complaints.join("\n"))));
  return new ChildServer(child, { port: await listening.promise, complaints });
}

export async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "langwire-faults-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
