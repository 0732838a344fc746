/**
 * Maps whatever a bot's code threw to an error code. It never throws: a revoked proxy and a `cause`
 * that throws get a code as well.
 */
import { type ErrorCode, errorTable, LangwireError } from "../../protocol/errors.ts";
import { classifyError, type ErrorSource } from "../provider/provider-errors.ts";
import { waitMsOf } from "../provider/retry-after.ts";
import { cutText, payloadLimits } from "../run/payload.ts";
import { mayBeSaidByBots } from "./bot-errors.ts";

const causesAtMost = 8;

export class FailureNames {
  /** By what was thrown: every span that an error passes through reports it, with the same code. */
  readonly #known = new WeakMap<object, LangwireError>();

  /** The same one wherever the same error surfaces. */
  of(thrown: unknown, source: ErrorSource): LangwireError {
    const known = this.#knownOf(thrown);
    if (known !== undefined) return known;
    const named = nameOf(thrown, source);
    if (isObject(thrown)) this.#known.set(thrown, named);
    return named;
  }

  #knownOf(thrown: unknown): LangwireError | undefined {
    for (let link = thrown, depth = 0; isObject(link) && depth < causesAtMost; depth++) {
      const known = this.#known.get(link);
      if (known !== undefined) return known;
      link = causeOf(link);
    }
    return undefined;
  }
}

function nameOf(thrown: unknown, source: ErrorSource): LangwireError {
  try {
    return asOurs(classifyError(thrown, source), thrown);
  } catch {
    return classifyError(new TypeError("What was thrown cannot be read."), source);
  }
}

function causeOf(error: object): unknown {
  try {
    return Reflect.get(error, "cause");
  } catch {
    return undefined;
  }
}

/** A bot may throw our own error class: its code is checked, and its fields are copied. */
function asOurs(error: LangwireError, thrown: unknown): LangwireError {
  const code: unknown = error.code;
  if (!isCode(code) || !mayBeSaidByBots(code)) {
    return new LangwireError("BOT_FAILED", { cause: thrown });
  }
  const message: unknown = error.message;
  const retryAfterMs = waitMsOf(error.retryAfterMs);
  return new LangwireError(code, {
    cause: thrown,
    ...(typeof message === "string" && { message: cutText(message, payloadLimits.characters) }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

function isCode(code: unknown): code is ErrorCode {
  return typeof code === "string" && Object.hasOwn(errorTable, code);
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;
