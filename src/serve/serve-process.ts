/** A process that serves one program until it is told to end: its log, its memory, its signals. */
import { inspect } from "node:util";
import type { Logger } from "pino";
import { misspeltSettings } from "../config/misspelt.ts";
import { ConfigError, readSettings, serviceLinks } from "../config/read-settings.ts";
import type { Settings } from "../config/settings.ts";
import { FatalErrors } from "../server/logging/fatal-errors.ts";
import { createLogger, redirectOutput } from "../server/logging/logger.ts";
import { withoutSecrets } from "../server/logging/redaction.ts";
import { secretsIn } from "../server/logging/secrets.ts";
import { Shutdown } from "../server/shutdown.ts";
import {
  boundsByMemory,
  collectStartGarbage,
  expectGarbageToBeYoung,
} from "./memory/process-memory.ts";
import { letYoungGenerationGrow } from "./memory/young-generation.ts";
import { type NpmLine, whenBroken } from "./npm-line.ts";
import { type LoadProgram, ProgramError } from "./program.ts";
import { type Serving, serve } from "./serve.ts";

export interface ServeProcessOptions {
  readonly load: LoadProgram;
  /** It ends when the npm that started it has ended, as on a signal. As it was when the process began. */
  readonly startedBy: NpmLine;
  /** For whoever writes the program: what it prints is shown, and what it throws. Default: false. */
  readonly dev?: boolean;
  /** As `ServeOptions.pageDir`. */
  readonly pageDir?: string | undefined;
}

export interface ServingProcess {
  readonly serving: Serving;
  readonly logger: Logger;
}

/**
 * Reads the settings in `process.env` and serves with them. What keeps it from starting is written to
 * standard error, without the values of secrets, and ends the process with exit code 1.
 */
export async function serveProcess(options: ServeProcessOptions): Promise<ServingProcess> {
  try {
    return await start(readSettings(process.env), options);
  } catch (error) {
    const said = withoutSecrets(wordsOf(error), secretsIn(process.env));
    // What a program has opened by then would keep the process.
    return await new Promise(() => process.stderr.write(`${said}\n`, () => process.exit(1)));
  }
}

function wordsOf(error: unknown): string {
  if (error instanceof ProgramError) return error.message;
  if (!(error instanceof ConfigError)) return inspect(error);
  return `${error.message}\nEvery setting is described in .env.example.`;
}

async function start(
  settings: Settings,
  { load, startedBy, dev = false, pageDir }: ServeProcessOptions,
): Promise<ServingProcess> {
  expectGarbageToBeYoung();
  const { LOG_LEVEL: level, SHUTDOWN_GRACE_MS: graceMs } = settings;
  const format = logFormat(settings, dev);
  const logger = createLogger({ level, format, quotes: dev, secrets: secretsIn(process.env) });
  if (!dev) redirectOutput(logger);
  const fatal = new FatalErrors(logger);
  let shutdown: Shutdown | undefined;
  // Until it serves, a signal ends it at once, and so does this.
  whenBroken(startedBy, () => (shutdown === undefined ? process.exit(1) : shutdown.orphaned()));
  if (dev) fatal.tell();
  else fatal.listen(() => (shutdown === undefined ? process.exit(1) : shutdown.begin()));
  for (const name of serviceLinks(process.env)) {
    logger.warn({ name }, "ignored: Kubernetes set it for a Service of this name");
  }
  for (const { name, meant } of misspeltSettings(process.env)) {
    logger.warn(`${name} is no setting, and is not read. ${meant} is one.`);
  }
  const bounds = boundsByMemory();
  logger.debug(bounds, "what this process may hold, by its memory, where it is not set");
  const program = await load(settings, logger);
  const serving = await serve({ settings, program, logger, bounds, dev, pageDir });
  collectStartGarbage();
  letYoungGenerationGrow();
  const { runs } = serving.langwire;
  if (format === "pretty") process.stdout.write(`\n  open ${serving.url}\n\n`);
  shutdown = new Shutdown({
    logger,
    underWay: () => runs.live.size,
    graceMs,
    close: async () => {
      await runs.drain(fatal.seen ? 0 : graceMs);
      await serving[Symbol.asyncDispose]();
      return fatal.seen ? 1 : 0;
    },
    hurry: () => void runs.drain(0),
    // The grace is for runs; closing what is left takes a moment of its own.
    timeoutMs: graceMs + 10_000,
  });
  shutdown.listen();
  return { serving, logger };
}

/** Who develops may read it through another program, which starts several. */
function logFormat({ LOG_FORMAT }: Settings, dev: boolean): "json" | "pretty" {
  if (LOG_FORMAT !== "auto") return LOG_FORMAT;
  return dev || process.stdout.isTTY ? "pretty" : "json";
}
