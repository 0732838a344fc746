/**
 * Where runs are logged that an application gave no observer for: what fails, on the console, until a
 * logger is named. A failed run of which nothing is said anywhere looks like a fault of the caller's.
 */
import { inspect } from "node:util";
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

type Fields = Readonly<Record<string, unknown>>;

/** `[langwire] run failed: BOT_FAILED, bot weather, run 6f1c0f6e-…`, and what was thrown below. */
function asText(fields: object, message: string): string {
  const { code, path, botId, tool, retriever, runId, detail } = fields as Fields;
  return textOf({ code, path, tool, retriever, bot: botId, run: runId }, message, detail);
}

/**
 * What an application's own `console` is given: all fields, in a line. By itself it prints an object first,
 * below each other, and only then what it is about.
 */
export function linesOf(console: Pick<Console, keyof RunLogger>): RunLogger {
  const write = (level: keyof RunLogger) => (fields: object, message: string) => {
    const { code, botId, runId, detail, err, ...facts } = fields as Fields;
    const thrown = detail ?? (err === undefined ? undefined : inspect(err));
    console[level](textOf({ code, bot: botId, run: runId, ...facts }, message, thrown));
  };
  return { info: write("info"), warn: write("warn"), error: write("error") };
}

function textOf(facts: Fields, message: string, detail: unknown): string {
  const said = Object.entries(facts).flatMap(([name, value]) => {
    if (value === undefined) return [];
    const text = typeof value === "object" ? JSON.stringify(value) : `${value}`;
    return [name === "code" ? text : `${name} ${text}`];
  });
  const head = `[langwire] ${message}${said.length === 0 ? "" : `: ${said.join(", ")}`}`;
  const below = typeof detail === "string" ? detail.split("\n") : [];
  // Whatever is in them begins no line, and moves no cursor.
  return [escapeInvisible(head), ...below.map((line) => `  ${escapeInvisible(line)}`)].join("\n");
}
