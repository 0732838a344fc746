/** Operators' own tokens: those of the metrics and of the admin command. */

import { createHash, timingSafeEqual } from "node:crypto";
import type { FastifyRequest } from "fastify";
import { LangwireError } from "../../protocol/errors.ts";
import { memoryRateLimit } from "../../runs/admission/rate-limit.ts";
import { addressKey } from "./addresses.ts";

/** Wrong tokens of one address in a minute that are answered as such. */
const wrongTokensPerMinute = 20;

/**
 * Lets in whoever brings the token.
 * @throws LangwireError UNAUTHORIZED, and RATE_LIMITED for an address that has tried too many; never
 *   for the right one, or a stranger behind the operator's proxy could lock the operator out
 */
export function asksFor(token: string): (request: FastifyRequest) => Promise<void> {
  const wrongTokens = memoryRateLimit({ times: wrongTokensPerMinute, perMs: 60_000 });
  return async ({ headers, ip }) => {
    if (bringsToken(headers.authorization, token)) return;
    await wrongTokens.take(addressKey(ip));
    throw new LangwireError("UNAUTHORIZED");
  };
}

/** Whether the header brings the token; compared in a time that says nothing of where they differ. */
function bringsToken(authorization: string | undefined, token: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(authorization ?? ""), digest(`Bearer ${token}`));
}
