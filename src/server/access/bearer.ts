/** The operator's bearer tokens: for the metrics and for the admin command. */

import { createHash, timingSafeEqual } from "node:crypto";
import type { FastifyRequest } from "fastify";
import { LangwireError } from "../../protocol/errors.ts";
import { memoryRateLimit } from "../../runs/admission/rate-limit.ts";
import { addressKey } from "./addresses.ts";

/** Rate limit of one address's wrong tokens. */
const wrongTokensPerMinute = 20;

/**
 * A hook that refuses requests without the token.
 * @throws LangwireError UNAUTHORIZED; RATE_LIMITED for an address that has tried too many wrong ones,
 *   but never with the right one, or a stranger behind the operator's proxy could lock the operator out
 */
export function requireBearer(token: string): (request: FastifyRequest) => Promise<void> {
  const wrongTokens = memoryRateLimit({
    what: "wrong tokens from one address in a minute",
    times: wrongTokensPerMinute,
    perMs: 60_000,
  });
  return async ({ headers, ip }) => {
    if (hasToken(headers.authorization, token)) return;
    await wrongTokens.take(addressKey(ip));
    throw new LangwireError("UNAUTHORIZED");
  };
}

/** The scheme's name may be written in any letters (RFC 9110). */
const scheme = /^bearer +/i;

/** Whether the header has the token, compared in constant time. */
function hasToken(authorization: string | undefined, token: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  const isBearer = scheme.test(authorization ?? "");
  const given = authorization?.replace(scheme, "") ?? "";
  return timingSafeEqual(digest(given), digest(token)) && isBearer;
}
