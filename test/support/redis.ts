/** A real Redis for tests: the machine's own redis-server, on a free port and with nothing to keep. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { createClient } from "redis";
import { freePort } from "./free-port.ts";
import { needsProgram } from "./needs-program.ts";

export interface TestRedis extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /**
   * Kills the server and starts it on the same port: with what it held, with what the last `SAVE`
   * wrote, or with nothing.
   */
  restart(options: { keepData: boolean | "saved" }): Promise<void>;
  /** Kills the server. Whoever needs it again restarts it. */
  kill(): Promise<void>;
  /** Runs one command on a connection of its own. */
  command<T>(...args: string[]): Promise<T>;
}

/** @param settings as on redis-server's command line, such as `["--maxmemory", "10mb"]` */
export async function startRedis(settings: readonly string[] = []): Promise<TestRedis> {
  const port = await freePort();
  const directory = await mkdtemp(join(tmpdir(), "langwire-redis-"));
  const url = `redis://127.0.0.1:${port}`;
  let server = await startServer();

  async function startServer(): Promise<ChildProcess> {
    const place = ["--port", String(port), "--bind", "127.0.0.1", "--dir", directory];
    const child = spawn("redis-server", [...place, "--save", "", ...settings], { stdio: "ignore" });
    const failed = once(child, "exit").then(() => {
      throw new Error("redis-server ended at once");
    });
    failed.catch(() => {});
    await Promise.race([once(child, "spawn"), failed]);
    await Promise.race([untilAnswers(url), failed]);
    return child;
  }

  async function stopServer(): Promise<void> {
    if (server.signalCode !== null || server.exitCode !== null) return;
    const exited = once(server, "exit");
    server.kill("SIGKILL");
    await exited;
  }

  async function command<T>(...args: string[]): Promise<T> {
    const socket = { reconnectStrategy: false } as const;
    const client = createClient({ url, socket, commandOptions: { timeout: 0 } });
    client.on("error", () => {});
    await client.connect();
    try {
      return await client.sendCommand<T>(args);
    } finally {
      client.destroy();
    }
  }

  return {
    url,
    port,
    get pid() {
      return server.pid ?? 0;
    },
    command,
    kill: stopServer,
    async restart({ keepData }) {
      if (keepData === true) await command("SAVE");
      await stopServer();
      if (!keepData) await rm(join(directory, "dump.rdb"), { force: true });
      server = await startServer();
    },
    async [Symbol.asyncDispose]() {
      await stopServer();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function untilAnswers(url: string): Promise<void> {
  for (;;) {
    const client = createClient({ url, socket: { reconnectStrategy: false } });
    client.on("error", () => {});
    try {
      await client.connect();
      await client.ping();
      return;
    } catch {
      await delay(5);
    } finally {
      client.destroy();
    }
  }
}

/** Declares tests that need Redis. */
export function needsRedis(name: string, declare: () => void): void {
  needsProgram(name, { command: "redis-server", debianPackage: "redis-server" }, declare);
}
