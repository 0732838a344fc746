/** A process that serves one program until it is told to end: its log, its memory, its signals. */
import { inspect } from "node:util";
import { ConfigError, readSettings, serviceLinks } from "../config/read-settings.ts";
import type { Settings } from "../config/settings.ts";
import { FatalErrors } from "../server/logging/fatal-errors.ts";
import { createLogger, redirectOutput } from "../server/logging/logger.ts";
import { withoutSecrets } from "../server/logging/redaction.ts";
import { secretsIn } from "../server/logging/secrets.ts";
import { Shutdown } from "../server/shutdown.ts";
import { boundsByMemory, expectGarbageToBeYoung } from "./process-memory.ts";
import type { LoadProgram } from "./program.ts";
import { serve } from "./serve.ts";

/**
 * Reads the settings in `process.env` and serves with them. What keeps it from starting is written to
 * standard error, without the values of secrets, and is exit code 1.
 */
export async function serveProcess(load: LoadProgram): Promise<void> {
  try {
    await start(readSettings(process.env), load);
  } catch (error) {
    const said =
      error instanceof ConfigError
        ? `${error.message}\nEvery setting is described in .env.example.`
        : inspect(error);
    process.stderr.write(`${withoutSecrets(said, secretsIn(process.env))}\n`);
    process.exitCode = 1;
  }
}

async function start(settings: Settings, load: LoadProgram): Promise<void> {
  expectGarbageToBeYoung();
  const logger = createLogger({ level: settings.LOG_LEVEL, secrets: secretsIn(process.env) });
  redirectOutput(logger);
  const fatal = new FatalErrors(logger);
  let shutdown: Shutdown | undefined;
  fatal.listen(() => (shutdown === undefined ? process.exit(1) : shutdown.begin()));
  for (const name of serviceLinks(process.env)) {
    logger.warn({ name }, "ignored: Kubernetes set it for a Service of this name");
  }
  const bounds = boundsByMemory();
  logger.info(bounds, "what this process may hold, by its memory, where it is not set");
  const program = await load(settings, logger);
  const serving = await serve({ settings, program, logger, bounds });
  const { runs } = serving.langwire;
  shutdown = new Shutdown({
    logger,
    close: async () => {
      await runs.drain(fatal.seen ? 0 : settings.SHUTDOWN_GRACE_MS);
      await serving[Symbol.asyncDispose]();
      return fatal.seen ? 1 : 0;
    },
    hurry: () => void runs.drain(0),
    // The grace is for runs; closing what is left takes a moment of its own.
    timeoutMs: settings.SHUTDOWN_GRACE_MS + 10_000,
  });
  shutdown.listen();
}
