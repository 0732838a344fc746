/**
 * What the mock providers have in common: an answer is scripted in words that every provider has,
 * and a provider's protocol says how it travels, and which requests the provider would refuse.
 */

/** One thing that the model says or the provider does while it answers. */
export type Step =
  /** A piece of the answer's text. */
  | string
  | { readonly reasoning: string }
  | ScriptedToolCall
  | { readonly image: ProviderImage }
  /** A page on which the text before rests. */
  | { readonly source: ProviderSource }
  /** The model says, in the protocol's own way, that it will not answer. */
  | { readonly refusal: string }
  /** Goes on when the promise settles; on hang-up the answer ends there. */
  | { readonly until: Promise<unknown> }
  /** Sends nothing more and keeps the connection open until the caller hangs up. */
  | "stall"
  /** Breaks the connection. */
  | "cut";

export interface ScriptedToolCall {
  readonly toolCall: string;
  readonly args: Readonly<Record<string, unknown>>;
  /** Only the first half of the arguments comes, where the protocol sends them in pieces. */
  readonly unfinished?: boolean;
}

export interface ProviderImage {
  readonly mimeType: string;
  readonly base64: string;
}

export interface ProviderSource {
  readonly url: string;
  readonly title: string;
}

export interface Answer {
  readonly steps: readonly Step[];
  /** False: the stream ends, cleanly, without the word that the answer is whole. Default: true. */
  readonly finishes?: boolean;
}

/** Thrown while a request is read, or scripted: the provider answers with an error of this status. */
export class Refusal extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

/** Tokens that every answer is said to have cost: each protocol counts them in its own fields. */
export const billed = { input: 11, output: 7, cached: 4, reasoning: 3 } as const;

/** A message of the request, whatever its provider calls it. */
export type Turn =
  | { readonly role: "system" | "human"; readonly text: string }
  | { readonly role: "ai"; readonly text: string; readonly toolCallIds: readonly string[] }
  | { readonly role: "tool"; readonly toolCallId: string; readonly text: string };

export interface ProviderRequest {
  readonly streams: boolean;
  readonly turns: readonly Turn[];
  /** Structured output: by a tool that the model has to call, or as JSON text. */
  readonly structured:
    | { readonly by: "tool"; readonly name: string }
    | { readonly by: "json" }
    | undefined;
}

export interface HttpRequest {
  readonly method: string;
  /** With its query. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: JsonObject;
}

export type JsonObject = { readonly [key: string]: unknown };

/** Writes the bytes of one streamed answer, piece by piece. */
export interface AnswerWriter {
  begin(): string;
  text(text: string): string;
  reasoning(text: string): string;
  /** Each string leaves as a packet of its own. */
  toolCall(call: ScriptedToolCall, ordinal: number): readonly string[];
  /** Each of these three where the protocol has it in answers. */
  image?(image: ProviderImage): string;
  source?(source: ProviderSource): string;
  refusal?(text: string): string;
  /** The last word: why the model ended, and what it cost. */
  finish(why: "stop" | "tools"): string;
}

/** An answer in one piece. */
export interface WholeAnswer {
  readonly text: string;
  readonly toolCalls: readonly ScriptedToolCall[];
}

export interface ProviderProtocol {
  readonly contentType: string;
  /** @throws Refusal where the provider's own API would refuse the request. */
  read(request: HttpRequest): ProviderRequest;
  writer(request: JsonObject): AnswerWriter;
  whole(answer: WholeAnswer): JsonObject;
  /** The body of an error. */
  refusal(refusal: Refusal): JsonObject;
}

/** An SSE event. */
export function sse(data: JsonObject, name?: string): string {
  return `${name === undefined ? "" : `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`;
}

/** Arguments as a provider sends them: in pieces of a few characters. */
export function argumentPieces({ args, unfinished }: ScriptedToolCall): readonly string[] {
  const json = JSON.stringify(args);
  const sent = unfinished === true ? json.slice(0, Math.ceil(json.length / 2)) : json;
  return sent.match(/.{1,9}/gsu) ?? [];
}
