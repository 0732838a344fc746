/** A real PgBouncer in front of a test's Postgres. */
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startProgram } from "./child-process.ts";
import { freePort } from "./free-port.ts";
import { type NeededProgram, programPath } from "./needs-program.ts";

export const pgbouncer: NeededProgram = { command: "pgbouncer", debianPackage: "pgbouncer" };

export interface TestPgBouncer extends AsyncDisposable {
  /** The same database, by way of it. */
  urlOf(databaseUrl: string): string;
}

export interface PgBouncerOptions {
  readonly postgresPort: number;
  readonly poolMode: "session" | "transaction" | "statement";
}

export async function startPgBouncer(options: PgBouncerOptions): Promise<TestPgBouncer> {
  await using starting = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "langwire-pgbouncer-"));
  starting.defer(() => rm(folder, { recursive: true, force: true }));
  const port = await freePort();
  const file = join(folder, "pgbouncer.ini");
  await writeFile(
    file,
    `[databases]
* = host=127.0.0.1 port=${options.postgresPort} user=postgres password=password
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = ${options.poolMode}
`,
  );
  // It refuses to run as root, and as another user has to read its settings.
  await chmod(folder, 0o755);
  const user = process.getuid?.() === 0 ? ["-u", "nobody"] : [];
  const env = { PATH: programPath };
  const program = starting.use(startProgram(pgbouncer.command, [...user, file], { env }));
  await program.printed(/process up/);
  const started = starting.move();
  return {
    urlOf: (databaseUrl) => {
      const url = new URL(databaseUrl);
      url.port = String(port);
      return url.href;
    },
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}
