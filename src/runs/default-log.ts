/**
 * Where runs are logged that an application gave no observer for: what fails, on the console, until a
 * logger is named. A failed run of which nothing is said anywhere looks like a fault of the caller's.
 */
import { escapeInvisible } from "../bots/failures/visible-text.ts";
import type { RunLogger } from "./run-log.ts";

export class DefaultLog implements RunLogger {
  #logger: RunLogger = onConsole;
  #quotes = true;

  /** Whether it may hold prompts and answers, which what is thrown may quote: a developer's console may. */
  get quotes(): boolean {
    return this.#quotes;
  }

  /** From now on all of it goes there, and nothing to the console. */
  use(logger: RunLogger, { quotes }: { readonly quotes: boolean }): void {
    this.#logger = logger;
    this.#quotes = quotes;
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
  const below = typeof detail === "string" ? detail.split("\n") : [];
  // Whatever is in them begins no line, and moves no cursor.
  return [escapeInvisible(head), ...below.map((line) => `  ${escapeInvisible(line)}`)].join("\n");
}
