/** An error as a sentence for users, with its code for support. */
import { LangwireClientError } from "langwire-client";
import type { ChatError } from "langwire-client/react";
import { errorText, words } from "./words.ts";

export function messageOf(error: unknown): string {
  return error instanceof LangwireClientError ? errorText(error) : words.somethingWentWrong;
}

/** How long to wait, where the server said so. */
export function waitOf({ retryAfterMs }: ChatError): string {
  if (retryAfterMs === undefined) return "";
  const seconds = Math.max(1, Math.ceil(retryAfterMs / 1_000));
  return words.tryAgainIn(seconds);
}
