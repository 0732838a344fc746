/**
 * The server's log: a JSON object a line, or lines for people. Nothing that is logged can begin or end a line.
 *
 * Requests are logged without their query, where tokens and messages travel, and without headers.
 * Messages of errors that are not our own may quote a prompt, an answer or a key, so they appear from
 * level `debug` on; before that, an error is its name, its code and its stack. Whatever the level,
 * the values of secrets are replaced (redaction.ts).
 */
import { format } from "node:util";
import type { FastifyRequest } from "fastify";
import { type DestinationStream, type Logger, pino } from "pino";
import { withoutKeys } from "../../bots/failures/secret-shapes.ts";
import { stackFrames } from "../../bots/failures/thrown.ts";
import { LangwireError } from "../../protocol/errors.ts";
import { readableLines } from "./readable-lines.ts";
import { escapeControls, redaction } from "./redaction.ts";
import { standardOutput } from "./standard-output.ts";

export interface LoggerOptions {
  readonly level: string;
  /** Values that never appear, whatever is logged. */
  readonly secrets?: readonly string[];
  /** Default: `json`. */
  readonly format?: "json" | "pretty";
  /** Whether messages of errors appear below level `debug`, too: for whoever develops. Default: false. */
  readonly quotes?: boolean;
  /** Default: standard output. */
  readonly destination?: DestinationStream;
}

export function createLogger(options: LoggerOptions): Logger {
  const { level, secrets = [], format = "json", quotes = false, destination } = options;
  const redact = redaction(secrets);
  const stream = destination === undefined ? process.stdout : undefined;
  const readable =
    format === "pretty"
      ? readableLines({ stream, allRequests: ["trace", "debug"].includes(level) })
      : (line: string) => line;
  const logger: Logger = pino(
    {
      level,
      serializers: {
        req: describeRequest,
        err: (cause: unknown) => serializeThrown(cause, quotes || logger.isLevelEnabled("debug")),
      },
      hooks: {
        streamWrite: (line) => readable(redact(escapeControls(line))),
      },
    },
    destination ?? standardOutput(),
  );
  return logger;
}

const consoleMethods = ["debug", "info", "log", "warn", "error", "trace"] as const;

/**
 * Redirects to the log what libraries write to the console, at level `debug`, and Node's warnings: both
 * may quote secrets, and a line of theirs could be taken for one of the log's.
 */
export function redirectOutput(logger: Logger): void {
  for (const method of consoleMethods) {
    console[method] = (...said: unknown[]) => {
      logger.debug({ console: method, said: format(...said) }, "a library wrote to the console");
    };
  }
  // Node's own listener writes them to standard error.
  process.removeAllListeners("warning");
  process.on("warning", (warning) => logger.warn({ err: warning }, "a warning of Node's"));
}

const maxUrlLength = 200;

function describeRequest({ method, url, ip }: FastifyRequest) {
  const [path = ""] = url.split("?", 1);
  return { method, path: path.slice(0, maxUrlLength), remoteAddress: ip };
}

const maxCauses = 5;

interface Described {
  readonly type: string;
  readonly message?: string;
  readonly code?: string | number;
  readonly status?: number;
  readonly stack?: readonly string[];
  readonly cause?: Described;
}

/** Bots throw what cannot be read, too: a proxy that was revoked, a `cause` that throws. */
function serializeThrown(thrown: unknown, inFull: boolean): Described | undefined {
  try {
    return describeError(thrown, inFull);
  } catch {
    return { type: "unreadable" };
  }
}

function describeError(error: unknown, inFull: boolean, depth = 0): Described | undefined {
  if (error === undefined || depth > maxCauses) return undefined;
  if (!(error instanceof Error)) return { type: typeof error };
  const { code, status } = error as { code?: unknown; status?: unknown };
  const cause = describeError(error.cause, inFull, depth + 1);
  return {
    type: error.name,
    ...((inFull || error instanceof LangwireError) && { message: withoutKeys(error.message) }),
    ...((typeof code === "string" || typeof code === "number") && { code }),
    ...(typeof status === "number" && { status }),
    stack: stackFrames(error),
    ...(cause !== undefined && { cause }),
  };
}
