/**
 * An answer of a provider that is malformed or broke off: thrown where the answer is read, so that
 * LangChain's fallbacks and retries catch it. The message may quote the provider, cut short: it is for
 * the operator, and never reaches a user.
 */
import { withoutKeys } from "../../failures/secret-shapes.ts";

export class BrokenAnswer extends Error {
  constructor(what: string, options: { readonly said?: string | undefined } = {}) {
    const { said } = options;
    super(said === undefined ? what : `${what} It said: ${excerpt(said)}`);
    this.name = "BrokenAnswer";
  }
}

const excerptLength = 300;

/** The beginning of what a provider said, on one line. */
export function excerpt(text: string): string {
  const line = text
    .slice(0, 4 * excerptLength)
    .replace(/[\s\p{Cc}]+/gu, " ")
    .trim();
  const short = line.length > excerptLength ? `${line.slice(0, excerptLength)}…` : line;
  return withoutKeys(short);
}
