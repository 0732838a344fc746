/**
 * Where runs are logged that an application gave no observer for: what fails, on the console, until a
 * logger is named. A failed run of which nothing is said anywhere looks like a fault of the caller's.
 */
import type { RunLogger } from "./run-log.ts";

export class DefaultLog implements RunLogger {
  #logger: RunLogger = onConsole;

  /** From now on all of it goes there, and nothing to the console. */
  use(logger: RunLogger): void {
    this.#logger = logger;
  }

  readonly debug = (): void => {};
  readonly info: RunLogger["info"] = (fields, message) => this.#logger.info(fields, message);
  readonly warn: RunLogger["warn"] = (fields, message) => this.#logger.warn(fields, message);
  readonly error: RunLogger["error"] = (fields, message) => this.#logger.error(fields, message);
}

const onConsole: RunLogger = {
  info: () => {},
  warn: (fields, message) => console.warn(asText(fields, message)),
  error: (fields, message) => console.error(asText(fields, message)),
};

/** `[langwire] run failed: BOT_FAILED, bot weather, run 6f1c0f6e-…`, and what was thrown below. */
function asText(fields: object, message: string): string {
  const { detail, err: _err, ...facts } = fields as Readonly<Record<string, unknown>>;
  const { code, path, botId, tool, retriever, runId } = facts;
  const named = { code, path, tool, retriever, bot: botId, run: runId };
  const said = Object.entries(named).flatMap(([name, value]) => {
    if (value === undefined) return [];
    return [name === "code" ? `${value}` : `${name} ${value}`];
  });
  const head = `[langwire] ${message}${said.length === 0 ? "" : `: ${said.join(", ")}`}`;
  return typeof detail === "string" ? `${head}\n${detail}` : head;
}
