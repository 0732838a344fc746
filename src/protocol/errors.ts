/**
 * Every error code there is, in one table: what it means, whether trying again may help, and what
 * the caller does about it. A new failure gets a row here before it gets a throw anywhere else.
 *
 * What goes with a new row: its tRPC code (api/errors.ts) and whether a bot may say it
 * (bots/failures/bot-errors.ts), which the compiler asks for; its rows in PROTOCOL.md and
 * docs/troubleshooting.md, and `npm run generate`, which tests ask for; and, which nobody asks for,
 * how a socket closes for it before it has a caller (server/connections/close-codes.ts) and whether
 * the operator is told (server/logging/failure-log.ts).
 */
import { z } from "zod";

interface ErrorRow {
  /** What happened, and what a user does about it: it is shown to them where the error has no text of its own. */
  readonly meaning: string;
  /** Whether the same request may succeed later, unchanged. */
  readonly retryable: boolean;
  /** What the caller does about it. */
  readonly action: string;
}

export const errorTable = {
  BAD_INPUT: {
    meaning: "The request does not have the shape it must have. Correct it, and send it again.",
    retryable: false,
    action: "Correct the request; the message names the field.",
  },
  UNAUTHORIZED: {
    meaning: "It is not known who you are, or your sign-in has expired. Sign in again.",
    retryable: false,
    action: "Get a fresh token and connect again.",
  },
  AUTH_UNAVAILABLE: {
    meaning: "The server cannot check who you are at the moment. Try again in a moment.",
    retryable: true,
    action: "Try again after retryAfterMs, with the same token.",
  },
  NOT_FOUND: {
    meaning: "There is no such run, conversation or bot, or you may not see it. Check the address.",
    retryable: false,
    action: "Check the id. Somebody else's answers the same as a missing one.",
  },
  CONVERSATION_BUSY: {
    meaning: "Another run is in progress in this conversation. Wait for its answer, or stop it.",
    retryable: true,
    action: "Wait for its runEnd, or send with ifBusy: 'interrupt'.",
  },
  RATE_LIMITED: {
    meaning: "You have used up an allowance of this server. Wait a moment, then try again.",
    retryable: true,
    action: "Try again after retryAfterMs.",
  },
  OVERLOADED: {
    meaning: "The server runs as many runs as it can. Try again in a moment.",
    retryable: true,
    action: "Try again after retryAfterMs.",
  },
  MODEL_RATE_LIMIT: {
    meaning:
      "The model's provider refused the call for its rate limit or quota. Try again in a while.",
    retryable: true,
    action: "Try again after retryAfterMs, or raise the provider's limit.",
  },
  MODEL_AUTHENTICATION: {
    meaning:
      "The model's provider did not accept the server's credentials. Tell whoever runs the server.",
    retryable: false,
    action: "The operator corrects the provider's key.",
  },
  MODEL_NOT_FOUND: {
    meaning:
      "The model's provider does not know the configured model. Tell whoever runs the server.",
    retryable: false,
    action: "The operator corrects the model's name.",
  },
  CONTEXT_OVERFLOW: {
    meaning:
      "The conversation is longer than the model can take. Send a shorter message, or start a new conversation.",
    retryable: false,
    action: "Send a shorter message, or start a new conversation.",
  },
  PROVIDER_TIMEOUT: {
    meaning: "The model's provider stopped sending, or never began. Send it again.",
    retryable: true,
    action: "Send again with a new runId.",
  },
  PROVIDER_ERROR: {
    meaning: "The model's provider failed or sent what is not an answer. Send it again.",
    retryable: true,
    action: "Send again with a new runId.",
  },
  PROVIDER_REJECTED: {
    meaning:
      "The model's provider does not take the request as it is. Tell whoever runs the server.",
    retryable: false,
    action:
      "The operator corrects the model's settings or account; the server's log has the cause.",
  },
  TOOL_FAILED: {
    meaning: "A tool of the bot failed. Ask in another way, or tell whoever runs the bot.",
    retryable: false,
    action: "See the server's log; the tool's own message stays there.",
  },
  OUTPUT_INVALID: {
    meaning: "The bot's answer does not have the shape that the bot promises. Send it again.",
    retryable: true,
    action: "Try again: a model may do better. The server's log says what did not fit.",
  },
  BOT_FAILED: {
    meaning: "The bot's own code failed. Tell whoever runs the bot.",
    retryable: false,
    action: "The bot's author corrects it; the server's log has the cause.",
  },
  BOT_LIMIT_REACHED: {
    meaning:
      "The bot reached a limit of its own: of steps, or of calls to models or tools. Ask for less at once.",
    retryable: false,
    action: "Ask for less at once, or have the bot's author raise the limit.",
  },
  BOT_REFUSED: {
    meaning: "A guard of the bot refused the message or the answer. Say it in another way.",
    retryable: false,
    action: "Say it without what the guard refuses.",
  },
  INTERRUPT_UNSUPPORTED: {
    meaning:
      "The bot stopped to ask somebody, and nobody can answer it here. Send another message.",
    retryable: false,
    action: "Send another message; the bot's author takes the interrupt out.",
  },
  RUN_TIMEOUT: {
    meaning: "The run took longer than this server allows. Ask for less at once.",
    retryable: false,
    action: "Ask for less at once, or have the operator raise the limit.",
  },
  RUN_TOO_LARGE: {
    meaning: "The run produced more than this server keeps of one run. Ask for less at once.",
    retryable: false,
    action: "Ask for less at once, or have the operator raise the limit.",
  },
  SERVER_RESTARTED: {
    meaning:
      "The server stopped while the run was in progress. Its answer so far is kept: send it again.",
    retryable: true,
    action: "The partial answer is kept. Send again with a new runId.",
  },
  OWNER_LOST: {
    meaning:
      "The machine that worked on the run is gone. Its answer so far is kept: send it again.",
    retryable: true,
    action: "The partial answer is kept. Send again with a new runId.",
  },
  STORE_UNAVAILABLE: {
    meaning: "The server cannot write to its storage at the moment. Try again later.",
    retryable: true,
    action: "Try again later.",
  },
  INTERNAL: {
    meaning: "The server failed by a fault of its own. Tell whoever runs it.",
    retryable: false,
    action: "Report it; the server's log has the cause.",
  },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof errorTable;

export const errorCodes = Object.keys(errorTable) as [ErrorCode, ...ErrorCode[]];

export const errorCode = z.enum(errorCodes);

/** A failure as it travels: in `runEnd.error`, and (without the message) in `error.data.langwire`. */
export const failure = z.object({
  code: errorCode,
  message: z.string(),
  retryable: z.boolean(),
  /** Milliseconds to wait before trying again, where known. */
  retryAfterMs: z.number().int().nonnegative().optional(),
  /** From servers in development mode alone: what was thrown, where, and what caused it, as lines. */
  detail: z.string().optional(),
});

export type Failure = z.infer<typeof failure>;

const refusal = failure.omit({ message: true }).extend({
  /** Refused before it was known who asks: nothing of it was done, and a retryable one may be sent again. */
  unheard: z.literal(true).optional(),
});

/** A failure of a request, as it travels in `error.data.langwire`. */
export type Refusal = z.infer<typeof refusal>;

/**
 * The one error class of the server's own making. Its message is written for the caller:
 * never put a provider's, a tool's or a database's own words into it; they go into `cause`.
 */
export class LangwireError extends Error {
  readonly code: ErrorCode;
  readonly retryAfterMs: number | undefined;
  /** Whether the request was refused before it was known who asks, so that nothing of it was done. */
  readonly unheard: boolean;

  constructor(
    code: ErrorCode,
    options: {
      message?: string;
      retryAfterMs?: number | undefined;
      unheard?: boolean;
      cause?: unknown;
    } = {},
  ) {
    super(options.message ?? errorTable[code].meaning, { cause: options.cause });
    this.name = "LangwireError";
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
    this.unheard = options.unheard ?? false;
  }

  get retryable(): boolean {
    return errorTable[this.code].retryable;
  }

  toFailure(): Failure {
    const { code, message, retryable, retryAfterMs } = this;
    return retryAfterMs === undefined
      ? { code, message, retryable }
      : { code, message, retryable, retryAfterMs };
  }
}
