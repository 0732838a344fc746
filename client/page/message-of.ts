/** An error as a sentence for users, with its code for support. */
import type { ChatError } from "langwire-client/react";

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : "Something went wrong.";
}

/** How long to wait, where the server said so. */
export function waitOf({ retryAfterMs }: ChatError): string {
  if (retryAfterMs === undefined) return "";
  const seconds = Math.max(1, Math.ceil(retryAfterMs / 1_000));
  return ` Try again in ${seconds} s.`;
}
