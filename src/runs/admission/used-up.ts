/** The refusal of who has used up an allowance: of every limit, so that each says which it was. */
import { LangwireError } from "../../protocol/errors.ts";

export interface Allowance {
  /** What is counted, of whom and in what time, as a caller reads it: `runs that you begin in a minute`. */
  readonly what: string;
  /** How many there may be. */
  readonly max: number;
  /** What to do about it. Default: to wait. */
  readonly advice?: string;
}

/**
 * @param retryAfterMs absent where time alone brings nothing back
 * @returns RATE_LIMITED
 */
export function usedUp(
  { what, max, advice = "Wait a moment, then try again." }: Allowance,
  retryAfterMs?: number,
): LangwireError {
  const message = `You have used up an allowance of this server: at most ${max} ${what}. ${advice}`;
  return new LangwireError("RATE_LIMITED", { message, retryAfterMs });
}
