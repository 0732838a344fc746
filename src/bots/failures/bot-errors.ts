/**
 * Errors by which a bot, and not a provider, ends its run: limits and guards that its author set, an
 * interrupt that nobody answers. By names and codes, not by classes: bots bring their own copies of
 * LangChain's packages.
 */
import type { ErrorCode } from "../../protocol/errors.ts";

const codeByLangChainCode: Readonly<Record<string, ErrorCode>> = {
  GRAPH_RECURSION_LIMIT: "BOT_LIMIT_REACHED",
  MISSING_CHECKPOINTER: "INTERRUPT_UNSUPPORTED",
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

/** Undefined for an error that is no decision of the bot's. */
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

/** Codes that speak of a server, a caller or a run's place: not for a bot's code to claim. */
const notForBots = new Set<ErrorCode>([
  "UNAUTHORIZED",
  "AUTH_UNAVAILABLE",
  "CONVERSATION_BUSY",
  "OVERLOADED",
  "RUN_TIMEOUT",
  "RUN_TOO_LARGE",
  "SERVER_RESTARTED",
  "OWNER_LOST",
  "STORE_UNAVAILABLE",
  "INTERNAL",
]);

export const mayBeSaidByBots = (code: ErrorCode): boolean => !notForBots.has(code);
