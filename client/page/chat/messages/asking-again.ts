/** Whether a user may sensibly ask the same again after a failure. */
import type { ClientErrorCode } from "langwire-client";
import type { ChatError } from "langwire-client/react";

/**
 * More than those that are `retryable`, which pass by themselves: models do not answer the same twice,
 * tools and a bot's code fail by chance, and whoever runs the server corrects what is wrong with it.
 * Not those to which the same gets the same answer, until it is changed.
 */
const table: Readonly<Record<ClientErrorCode, boolean>> = {
  BAD_INPUT: false,
  UNAUTHORIZED: false,
  AUTH_UNAVAILABLE: true,
  NOT_FOUND: false,
  CONVERSATION_BUSY: true,
  RATE_LIMITED: true,
  OVERLOADED: true,
  MODEL_RATE_LIMIT: true,
  MODEL_AUTHENTICATION: true,
  MODEL_NOT_FOUND: true,
  CONTEXT_OVERFLOW: false,
  PROVIDER_TIMEOUT: true,
  PROVIDER_ERROR: true,
  PROVIDER_REJECTED: true,
  TOOL_FAILED: true,
  OUTPUT_INVALID: true,
  BOT_FAILED: true,
  BOT_LIMIT_REACHED: true,
  BOT_REFUSED: false,
  INTERRUPT_UNSUPPORTED: false,
  RUN_TIMEOUT: true,
  RUN_TOO_LARGE: true,
  SERVER_RESTARTED: true,
  OWNER_LOST: true,
  STORE_UNAVAILABLE: true,
  INTERNAL: true,
  UNREACHABLE: true,
  CLOSED: false,
};

/** Of a code that this page does not know, from a newer server, what the server says of it. */
export function mayAskAgain({ code, retryable }: Pick<ChatError, "code" | "retryable">): boolean {
  const isKnown = Object.hasOwn(table, code);
  return isKnown ? table[code] : retryable;
}
