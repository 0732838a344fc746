/** Asks the application who is calling, in time, and makes of whatever it answers a caller or a refusal. */
import { LangwireError } from "../../protocol/errors.ts";
import { throttled } from "../logging/throttled.ts";
import { AskedRequest, type AuthRequest, type RequestFacts } from "./auth-request.ts";
import { faultOfUserId, type Identity, readUserId } from "./callers.ts";
import { isOutage } from "./outages.ts";

/** Who calls, as an application's `authenticate` says. */
export interface Authenticated<Context = unknown> {
  readonly userId: string;
  /** For the page at `/`, which shows it in place of the id. */
  readonly name?: string | null | undefined;
  /**
   * When the proof ends: then the connection is closed, and the caller asked anew. A date, an ISO time, or
   * milliseconds since 1970. Default: never.
   */
  readonly expiresAt?: Date | string | number | null | undefined;
  /** The same in milliseconds alone. */
  readonly expiresAtMs?: number | undefined;
  /** For bots, which get it as `context`, and LangChain's `config.context`. Never logged, stored or sent. */
  readonly context?: Context | undefined;
}

type MaybeAuthenticated = Authenticated | null | undefined;

/**
 * Says who is calling. Nobody, UNAUTHORIZED for the caller, is `null` or `undefined`, or a LangwireError of
 * your own. What else it throws is logged as an error: UNAUTHORIZED as well; AUTH_UNAVAILABLE where it tells
 * of an outage, or is too late, so that the client comes back.
 */
export type Authenticate = (
  request: AuthRequest,
) => MaybeAuthenticated | Promise<MaybeAuthenticated>;

export interface Identify {
  /** Identifies a request's caller. @throws LangwireError UNAUTHORIZED, AUTH_UNAVAILABLE, or the application's own */
  (facts: RequestFacts): Promise<Identity>;
  /** Whether the application has ever looked at the parameters, which is where a page's token would be. */
  readonly looksForTokens: boolean;
}

export interface IdentifyOptions {
  readonly authenticate: Authenticate;
  readonly timeoutMs: number;
  /**
   * Called once in a while for what `authenticate` throws besides refusals and outages.
   * @param seen how often the same happened since the last call for it
   */
  readonly onFailure: (what: string, cause: unknown, seen: { readonly unsaid?: number }) => void;
}

/** When to come back: authentication may be back any moment, and asking costs little. */
const retryAfterMs = 1_000;
const maxNameLength = 200;
/** In 1973: a time in seconds, as tokens have it, is before that in milliseconds. */
const earliestMs = 1e11;

export function identifier({ authenticate, timeoutMs, onFailure }: IdentifyOptions): Identify {
  // A fault of the application's is the same in each request.
  const tell = throttled((seen, cause: unknown) => onFailure("authenticate failed", cause, seen));
  let looksForTokens = false;
  const onParams = () => {
    looksForTokens = true;
  };
  const identify = async (facts: RequestFacts): Promise<Identity> => {
    const asked = new AskedRequest(facts, onParams);
    try {
      const answered = authenticate(asked);
      const isLater = typeof answered === "object" && answered !== null && "then" in answered;
      return identityIn(isLater ? await inTime(answered, asked, timeoutMs) : answered);
    } catch (cause) {
      if (cause instanceof LangwireError) throw cause.retryable ? unheard(cause) : cause;
      if (isOutage(cause)) throw new LangwireError("AUTH_UNAVAILABLE", { retryAfterMs, cause });
      // The refusal is the caller's; why it came to that is the operator's alone.
      tell(String(cause), cause);
      throw new LangwireError("UNAUTHORIZED");
    }
  };
  return Object.defineProperty(identify, "looksForTokens", { get: () => looksForTokens }) as never;
}

/** The same error, by which a client knows that it may ask again, whatever it has asked. */
function unheard(cause: LangwireError): LangwireError {
  const { code, message, retryAfterMs } = cause;
  return new LangwireError(code, { message, retryAfterMs, unheard: true, cause });
}

async function inTime<T>(answer: Promise<T>, asked: AskedRequest, ms: number): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const cause = new Error(`authenticate took longer than ${ms} ms`);
    asked.abort(cause);
    reject(new LangwireError("AUTH_UNAVAILABLE", { retryAfterMs, cause }));
  }, ms);
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * An id that is no text, or empty, would be everybody's whose session lacks one, and a number is not equal to
 * itself once it was stored.
 * @throws TypeError for an answer that is no caller
 */
function identityIn(answered: MaybeAuthenticated): Identity {
  if (answered === null || answered === undefined) throw new LangwireError("UNAUTHORIZED");
  const { userId, name, context }: { userId: unknown; name?: unknown; context?: unknown } =
    answered;
  const fault = faultOfUserId(userId);
  if (fault !== undefined) throw new TypeError(`authenticate gave a userId ${fault}`);
  const expiresAtMs = expiryOf(answered);
  if (expiresAtMs !== undefined && expiresAtMs <= Date.now()) {
    throw new LangwireError("UNAUTHORIZED", { message: "The session has expired." });
  }
  return {
    userId: readUserId(userId),
    ...(typeof name === "string" && name !== "" && { name: name.slice(0, maxNameLength) }),
    ...(expiresAtMs !== undefined && { expiresAtMs }),
    ...(context !== undefined && { context }),
  };
}

function expiryOf({ expiresAt, expiresAtMs }: Authenticated): number | undefined {
  const given = expiresAt ?? expiresAtMs ?? undefined;
  if (given === undefined) return undefined;
  const ms = typeof given === "number" ? given : new Date(given).getTime();
  if (ms >= earliestMs) return ms;
  throw new TypeError(
    "authenticate gave an expiresAt that is no time: a Date, an ISO time, or milliseconds since 1970",
  );
}
