/** What a server serves: its bots, and what a program decides besides of those who call them. */
import type { Logger } from "pino";
import type { Bot } from "../bots/bot.ts";
import type { Settings } from "../config/settings.ts";
import type { LangwireOptions } from "../open/open-langwire.ts";
import type { ServerOptions } from "../server/app.ts";

export interface Program
  extends Pick<ServerOptions, "authenticate">,
    Pick<LangwireOptions, "limitsOf"> {
  readonly bots: readonly Bot[];
}

/**
 * Loads the program of a process that has its settings and its log.
 * @throws ConfigError, ProgramError
 */
export type LoadProgram = (settings: Settings, logger: Logger) => Promise<Program>;

/** Why a program cannot be served, in words for whoever wrote it. */
export class ProgramError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ProgramError";
  }
}
