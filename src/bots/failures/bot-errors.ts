/**
 * Errors by which a bot, and not a provider, ends its run: limits and guards that its author set, an
 * interrupt that nobody answers. By names and codes, not by classes: bots bring their own copies of
 * LangChain's packages.
 */
import type { ErrorCode } from "../../protocol/errors.ts";

const codeByLangChainCode: Readonly<Record<string, ErrorCode>> = {
  GRAPH_RECURSION_LIMIT: "BOT_LIMIT_REACHED",
  MISSING_CHECKPOINTER: "INTERRUPT_UNSUPPORTED",
  OUTPUT_PARSING_FAILURE: "OUTPUT_INVALID",
};

const codeByName: Readonly<Record<string, ErrorCode>> = {
  GraphRecursionError: "BOT_LIMIT_REACHED",
  NodeTimeoutError: "BOT_LIMIT_REACHED",
  ModelCallLimitMiddlewareError: "BOT_LIMIT_REACHED",
  ToolCallLimitExceededError: "BOT_LIMIT_REACHED",
  PIIDetectionError: "BOT_REFUSED",
  OpenAIModerationError: "BOT_REFUSED",
  GraphInterrupt: "INTERRUPT_UNSUPPORTED",
  NodeInterrupt: "INTERRUPT_UNSUPPORTED",
};

/** @returns undefined for an error that is none of these */
export function botErrorCode(error: {
  readonly langChainCode: unknown;
  readonly name: string;
}): ErrorCode | undefined {
  const { langChainCode, name } = error;
  const byCode =
    typeof langChainCode === "string" && Object.hasOwn(codeByLangChainCode, langChainCode)
      ? codeByLangChainCode[langChainCode]
      : undefined;
  return byCode ?? (Object.hasOwn(codeByName, name) ? codeByName[name] : undefined);
}

/**
 * Whether a bot's own code may say it. Not what speaks of a server, a caller or a run's owner: the run
 * would be ended by what only they decide.
 */
const saidByBots: Record<ErrorCode, boolean> = {
  BAD_INPUT: true,
  UNAUTHORIZED: false,
  AUTH_UNAVAILABLE: false,
  NOT_FOUND: true,
  CONVERSATION_BUSY: false,
  RATE_LIMITED: true,
  OVERLOADED: false,
  MODEL_RATE_LIMIT: true,
  MODEL_AUTHENTICATION: true,
  MODEL_NOT_FOUND: true,
  CONTEXT_OVERFLOW: true,
  PROVIDER_TIMEOUT: true,
  PROVIDER_ERROR: true,
  PROVIDER_REJECTED: true,
  TOOL_FAILED: true,
  OUTPUT_INVALID: true,
  BOT_FAILED: true,
  BOT_LIMIT_REACHED: true,
  BOT_REFUSED: true,
  INTERRUPT_UNSUPPORTED: true,
  RUN_TIMEOUT: false,
  RUN_TOO_LARGE: false,
  SERVER_RESTARTED: false,
  OWNER_LOST: false,
  STORE_UNAVAILABLE: false,
  INTERNAL: false,
};

export const mayBeSaidByBots = (code: ErrorCode): boolean => saidByBots[code];
