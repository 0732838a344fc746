/** What one user may do: the server's own limits, or what the application says of each caller. */
import { z } from "zod";
import { LangwireError } from "../../protocol/errors.ts";
import { protocolLimits } from "../../protocol/limits.ts";
import { within } from "../../time/within.ts";
import type { Caller } from "../caller.ts";

/** `Infinity` for no limit, 0 for none at all. */
export interface UserLimits {
  /** Runs of one user in progress at once: RATE_LIMITED. (`runLimits.maxLiveRuns` is of all users, OVERLOADED.) */
  readonly maxLiveRuns: number;
  /** Runs that one user begins in a minute: RATE_LIMITED. */
  readonly maxRunsPerMinute: number;
  /** `conversations.create` in a minute: RATE_LIMITED. `chat.send` creates besides that. */
  readonly maxConversationsPerMinute: number;
  /** Characters of one message: BAD_INPUT. The protocol's own limit holds besides. */
  readonly maxMessageLength: number;
}

/**
 * The limits of a caller's plan. What it leaves out is the server's own. It is asked for each run and
 * conversation that is begun, and for `bots.list`, so keep at hand what is slow to find out.
 * @throws LangwireError the caller's refusal. Anything else is logged, and AUTH_UNAVAILABLE for the caller
 */
export type LimitsOf = (
  caller: Caller,
) => PartialLimits | null | undefined | Promise<PartialLimits | null | undefined>;

type PartialLimits = { readonly [Name in keyof UserLimits]?: UserLimits[Name] | undefined };
/** Those of one caller. What is absent is as it is for everybody. */
export type CallerLimits = Partial<UserLimits> & Pick<UserLimits, "maxMessageLength">;
/** @throws LangwireError */
export type FindLimits = (caller: Caller) => Promise<CallerLimits>;

/** How long an application's `limitsOf` may take. */
const limitsTimeoutMs = 5_000;
const retryAfterMs = 1_000;

const length = z.union([z.int().positive(), z.literal(Number.POSITIVE_INFINITY)]).optional();
const count = z.union([z.int().nonnegative(), z.literal(Number.POSITIVE_INFINITY)]).optional();
const partialLimits = z.strictObject({
  maxLiveRuns: count,
  maxRunsPerMinute: count,
  maxConversationsPerMinute: count,
  maxMessageLength: length,
} satisfies Record<keyof UserLimits, unknown>);

export interface FindLimitsOptions {
  readonly maxMessageLength: number;
  readonly limitsOf?: LimitsOf | undefined;
  /** Called for what `limitsOf` throws that is no refusal, and for what it gives that is no limits. */
  readonly onFailure?: ((what: string, cause: unknown) => void) | undefined;
  /** Default: five seconds. */
  readonly timeoutMs?: number;
}

export function findLimits(options: FindLimitsOptions): FindLimits {
  const { limitsOf, onFailure, timeoutMs = limitsTimeoutMs } = options;
  const defaults = bounded({ maxMessageLength: options.maxMessageLength });
  if (limitsOf === undefined) return async () => defaults;
  return async (caller) => {
    try {
      const { userId, context } = caller;
      const asked = (async () => ({ given: await limitsOf({ userId, context }) }))();
      const found = await within(asked, timeoutMs);
      if (found === undefined) throw new Error(`limitsOf took longer than ${timeoutMs} ms`);
      return bounded({ ...defaults, ...checked(found.given) });
    } catch (cause) {
      if (cause instanceof LangwireError) throw cause;
      onFailure?.("limitsOf failed", cause);
      const message = "The caller's limits cannot be found out at the moment.";
      throw new LangwireError("AUTH_UNAVAILABLE", { message, retryAfterMs });
    }
  };
}

/** Without what is undefined, which would take a default's place. @throws TypeError */
function checked(given: unknown): Partial<UserLimits> {
  const parsed = partialLimits.safeParse(given ?? {});
  if (parsed.success) {
    const known = Object.entries(parsed.data).filter(([, value]) => value !== undefined);
    return Object.fromEntries(known);
  }
  throw new TypeError(`limitsOf gave what is no limits: ${z.prettifyError(parsed.error)}`);
}

function bounded(limits: CallerLimits): CallerLimits {
  const maxMessageLength = Math.min(limits.maxMessageLength, protocolLimits.messageLength);
  return { ...limits, maxMessageLength };
}
