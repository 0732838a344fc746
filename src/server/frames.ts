/**
 * What clients send over a WebSocket, before tRPC sees it. tRPC fails a whole frame for one request
 * in it that has the wrong shape, leaving the others without an answer, and it counts the requests of
 * a frame only when all are parsed. Here each refused request is answered under its own id, and what
 * is too much is dropped before it costs anything.
 */
import { LangwireError } from "../protocol/errors.ts";
import type { ConnectionLimits } from "./connection-limits.ts";

export type RequestId = number | string | null;

export interface FrameReaderOptions {
  readonly limits: Pick<
    ConnectionLimits,
    "maxMessagesPerFrame" | "maxSubscriptionsPerSocket" | "maxRequestsPerSecond"
  >;
  /** Whether the first frame says who is calling, and is no request. */
  readonly startsWithParams: boolean;
  /** Answers a request that tRPC will not see. */
  readonly refuse: (id: RequestId, error: LangwireError) => void;
  /** The first frame was not what it has to be. */
  readonly onBadParams: () => void;
  /** The client sends so much that answering it is too much, too. */
  readonly onFlood: () => void;
}

const maxParamsLength = 16 * 1024;
const maxIdLength = 64;
/** Requests of one frame that are answered, if only by a refusal, as a multiple of what it may have. */
const answeredFactor = 4;
const windowMs = 1_000;
const methods: ReadonlySet<unknown> = new Set([
  "query",
  "mutation",
  "subscription",
  "subscription.stop",
]);

export class FrameReader {
  readonly #options: FrameReaderOptions;
  readonly #maxMessages: number;
  #awaitsParams: boolean;
  #windowEnds = 0;
  #requests = 0;
  #flooded = false;

  constructor(options: FrameReaderOptions) {
    this.#options = options;
    this.#awaitsParams = options.startsWithParams;
    const { maxMessagesPerFrame, maxSubscriptionsPerSocket } = options.limits;
    this.#maxMessages = Math.max(maxMessagesPerFrame, maxSubscriptionsPerSocket + 1);
  }

  /**
   * @returns what tRPC is to see of the frame
   * @throws SyntaxError when it is not JSON text; tRPC answers that
   */
  read(data: unknown): unknown {
    if (this.#flooded) return [];
    const text = typeof data === "string" ? data : "";
    if (this.#awaitsParams) return this.#readParams(text);
    if (hasMoreThan(text, this.#maxMessages * answeredFactor)) return this.#flood();
    const parsed: unknown = JSON.parse(text);
    const messages = Array.isArray(parsed) ? parsed : [parsed];
    if (this.#count(Math.max(messages.length, 1))) return this.#flood();
    const tooMany = messages.length > this.#maxMessages;
    return messages.filter((message) => {
      const refusal = tooMany ? tooManyMessages : this.#refusalOf(message);
      if (refusal !== undefined) this.#options.refuse(idOf(message), refusal);
      return refusal === undefined;
    });
  }

  #readParams(text: string): unknown {
    this.#awaitsParams = false;
    try {
      if (text.length > maxParamsLength) throw new SyntaxError("connection parameters too long");
      const message: unknown = JSON.parse(text);
      if (!hasParams(message)) throw new SyntaxError("not connection parameters");
      return message;
    } catch (cause) {
      this.#options.onBadParams();
      throw cause;
    }
  }

  #refusalOf(message: unknown): LangwireError | undefined {
    if (!isRequest(message)) return badMessage;
    // Stopping makes nothing but room.
    if (this.#requests <= this.#options.limits.maxRequestsPerSecond) return undefined;
    if (message.method === "subscription.stop") return undefined;
    const retryAfterMs = Math.max(1, Math.ceil(this.#windowEnds - performance.now()));
    return new LangwireError("RATE_LIMITED", { retryAfterMs });
  }

  /** @returns whether it is too much even to refuse */
  #count(requests: number): boolean {
    const now = performance.now();
    if (now >= this.#windowEnds) {
      this.#windowEnds = now + windowMs;
      this.#requests = 0;
    }
    this.#requests += requests;
    return this.#requests > this.#options.limits.maxRequestsPerSecond * 2 + this.#maxMessages;
  }

  #flood(): [] {
    this.#flooded = true;
    this.#options.refuse(null, tooManyMessages);
    this.#options.onFlood();
    return [];
  }
}

const badMessage = new LangwireError("BAD_INPUT");
const tooManyMessages = new LangwireError("BAD_INPUT", {
  message: "Too many requests in one frame, or in too short a time.",
});

/** Whether a JSON array has more elements than this. Looks no further than it has to. */
export function hasMoreThan(json: string, max: number): boolean {
  let position = 0;
  while (isSpace(json.charCodeAt(position))) position++;
  if (json[position] !== "[") return false;
  let depth = 0;
  let commas = 0;
  let quoted = false;
  for (; position < json.length; position++) {
    const char = json.charCodeAt(position);
    if (quoted) {
      if (char === backslash) position++;
      else if (char === quote) quoted = false;
    } else if (char === quote) quoted = true;
    else if (char === openBracket || char === openBrace) depth++;
    else if (char === closeBracket || char === closeBrace) depth--;
    else if (char === comma && depth === 1 && ++commas >= max) return true;
  }
  return false;
}

const [quote, backslash, comma] = [0x22, 0x5c, 0x2c];
const [openBracket, closeBracket, openBrace, closeBrace] = [0x5b, 0x5d, 0x7b, 0x7d];

function isSpace(char: number): boolean {
  return char === 0x20 || char === 0x0a || char === 0x0d || char === 0x09;
}

function hasParams(message: unknown): boolean {
  if (!isRecord(message) || message.method !== "connectionParams") return false;
  const { data } = message;
  if (data === null) return true;
  return isRecord(data) && Object.values(data).every((value) => typeof value === "string");
}

interface Request {
  readonly id: number | string;
  readonly method: unknown;
}

/** What tRPC would refuse, and ids that it would take: endless ones, and such as JSON has not. */
function isRequest(message: unknown): message is Request {
  if (!isRecord(message) || idOf(message) === null) return false;
  const { jsonrpc, method, params } = message;
  if (jsonrpc !== undefined && jsonrpc !== "2.0") return false;
  if (!methods.has(method)) return false;
  if (method === "subscription.stop") return true;
  if (!isRecord(params) || typeof params.path !== "string") return false;
  return params.lastEventId === undefined || typeof params.lastEventId === "string";
}

function idOf(message: unknown): RequestId {
  if (!isRecord(message)) return null;
  const { id } = message;
  if (typeof id === "number") return Number.isSafeInteger(id) ? id : null;
  return typeof id === "string" && id.length <= maxIdLength ? id : null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
