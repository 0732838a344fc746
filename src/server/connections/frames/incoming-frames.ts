/**
 * Reads what clients send over a WebSocket; what they are sent is in outgoing-frames.ts. Of several
 * requests in a frame, each of the wrong shape is refused under its own id, and the others go on.
 * Requests past a limit are dropped before they cost anything.
 */
import { LangwireError } from "../../../protocol/errors.ts";
import { usedUp } from "../../../runs/admission/used-up.ts";
import type { ConnectionLimits } from "../connection-limits.ts";
import { idAt, isTooComplex, type JsonScan, scanJson } from "./json-scan.ts";

export type RequestId = number | string | null;

interface Numbered {
  readonly id: number | string;
  readonly jsonrpc?: "2.0";
}

/** A call of a procedure; its input is not validated yet. */
export interface CallMessage extends Numbered {
  readonly method: "query" | "mutation" | "subscription";
  readonly params: {
    readonly path: string;
    readonly input?: unknown;
    readonly lastEventId?: string;
  };
}

export type Message = CallMessage | (Numbered & { readonly method: "subscription.stop" });

/** The connection parameters in the first frame of a socket, which identify the caller. */
export type ConnectionParams = Readonly<Record<string, string>> | null;

export type FrameLimits = Pick<
  ConnectionLimits,
  "maxMessagesPerFrame" | "maxSubscriptionsPerSocket" | "maxRequestsPerSecond"
>;

export interface Refusing {
  /** Answers a request that was refused. */
  refuse(id: RequestId, error: LangwireError): void;
  /** The client sends so many requests that even refusing them costs too much: closes the socket. */
  cutOff(): void;
}

const maxParamsLength = 16 * 1024;
const maxIdLength = 64;
/** How many requests of one frame are answered, if only by a refusal: a multiple of the limit. */
const answeredFactor = 4;
const windowMs = 1_000;
const methods: ReadonlySet<unknown> = new Set([
  "query",
  "mutation",
  "subscription",
  "subscription.stop",
]);

export class FrameReader {
  readonly #limits: FrameLimits;
  readonly #refusing: Refusing;
  #windowEnds = 0;
  #requests = 0;
  #rateLimited: LangwireError | undefined;
  #flooded = false;

  constructor(limits: FrameLimits, refusing: Refusing) {
    this.#limits = limits;
    this.#refusing = refusing;
  }

  /** @throws SyntaxError when it is not JSON text */
  read(text: string): Message[] {
    if (this.#flooded) return [];
    const scan = scanJson(text);
    if (scan.elements > this.#maxMessages * answeredFactor) return this.#flood();
    // Before it is read: what is no JSON is answered, too.
    if (this.#count(scan.elements)) return this.#flood();
    if (isTooComplex(scan, this.#maxMessages)) return this.#refuseAll(text, scan);
    const parsed: unknown = JSON.parse(text);
    const messages = Array.isArray(parsed) ? parsed : [parsed];
    const tooMany = messages.length > this.#maxMessages;
    return messages.filter((message): message is Message => {
      const refusal = tooMany ? tooManyMessages : this.#refusalOf(message);
      if (refusal !== undefined) this.#refusing.refuse(idOf(message), refusal);
      return refusal === undefined;
    });
  }

  /** At least the limit of subscriptions: a client that reconnects sends all of them in one frame. */
  get #maxMessages(): number {
    const { maxMessagesPerFrame, maxSubscriptionsPerSocket } = this.#limits;
    return Math.max(maxMessagesPerFrame, maxSubscriptionsPerSocket + 1);
  }

  #refusalOf(message: unknown): LangwireError | undefined {
    if (!isMessage(message)) return badMessage;
    if (this.#requests <= this.#limits.maxRequestsPerSecond) return undefined;
    // Never limited: stopping only frees what others take.
    if (message.method === "subscription.stop") return undefined;
    // One error for all of a window: its text is made once.
    this.#rateLimited ??= usedUp(
      { what: "requests on one connection in a second", max: this.#limits.maxRequestsPerSecond },
      Math.max(1, Math.ceil(this.#windowEnds - performance.now())),
    );
    return this.#rateLimited;
  }

  /** @returns whether there are so many that they are not even refused */
  #count(requests: number): boolean {
    const now = performance.now();
    if (now >= this.#windowEnds) {
      this.#windowEnds = now + windowMs;
      this.#requests = 0;
      this.#rateLimited = undefined;
    }
    this.#requests += requests;
    return this.#requests > this.#limits.maxRequestsPerSecond * 2 + this.#maxMessages;
  }

  /** Refuses what would take too long to parse, under the ids that it has. */
  #refuseAll(text: string, { ids }: JsonScan): [] {
    const found = new Set(
      ids.slice(0, this.#maxMessages).map((at) => idOf({ id: idAt(text, at) })),
    );
    if (found.size === 0) found.add(null);
    for (const id of found) this.#refusing.refuse(id, tooComplex);
    return [];
  }

  #flood(): [] {
    this.#flooded = true;
    this.#refusing.refuse(null, tooManyMessages);
    this.#refusing.cutOff();
    return [];
  }
}

const badMessage = new LangwireError("BAD_INPUT");
const tooComplex = new LangwireError("BAD_INPUT", { message: "The input has too many values." });
const tooManyMessages = new LangwireError("BAD_INPUT", {
  message: "Too many requests in one frame, or in too short a time.",
});

/** @throws SyntaxError when the frame is something else than connection parameters */
export function readParams(text: string): ConnectionParams {
  if (text.length > maxParamsLength) throw new SyntaxError("connection parameters too long");
  const message: unknown = JSON.parse(text);
  if (isRecord(message) && message.method === "connectionParams") {
    const { data } = message;
    if (data === null || isRecordOfStrings(data)) return data;
  }
  throw new SyntaxError("not connection parameters");
}

function isRecordOfStrings(data: unknown): data is Record<string, string> {
  return isRecord(data) && Object.values(data).every((value) => typeof value === "string");
}

/** Whether tRPC would take the message; ids that are very long or no JSON values are refused besides. */
function isMessage(message: unknown): message is Message {
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
