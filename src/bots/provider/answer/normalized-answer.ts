/**
 * Normalises one streamed answer: whatever a server of OpenAI's protocol sends becomes the chunks that
 * OpenAI sends. The role comes first, there is one candidate, text is text; the finish reason and the
 * usage come once, at the end. An answer that is malformed or not whole is thrown as a BrokenAnswer.
 */
import { saysBroken } from "../../run/model/finish-reasons.ts";
import { isObject, type JsonObject } from "../unknown-json.ts";
import { BrokenAnswer, excerpt } from "./broken-answer.ts";
import { Candidate } from "./candidate.ts";
import { type Chunk, textOf } from "./chunk-text.ts";
import { choiceFinishReason, isCut } from "./finish-reasons.ts";
import { contentFields, contentOf, GrowingMessage, saidBy } from "./normalized-content.ts";
import { type NormalizedUsage, usageOf } from "./normalized-usage.ts";
import { ToolCallDeltas } from "./tool-call-deltas.ts";

/** How the server ended the stream. */
export type StreamEnd =
  /** It said that this was the end: `[DONE]`, or a body that was the whole answer. */
  | "announced"
  /** It closed the connection in good order, which a proxy does in the middle of an answer too. */
  | "closed";

/** What the caller's request asked for. */
export interface AskedFor {
  /** `function_call`, which came before tools: it is handed on as such. */
  readonly keepsFunctionCalls?: boolean;
  /** How many answers. Default 1. */
  readonly candidates?: number;
}

export class NormalizedAnswer {
  readonly #calls = new ToolCallDeltas();
  /** Fields that all chunks have in common: id, model and the like. */
  #head: JsonObject = {};
  readonly #candidate: Candidate;
  /** What messages have said, where a server sends those in place of deltas. */
  readonly #message = new GrowingMessage();
  #hasRole = false;
  #hasSpoken = false;
  #isWhole = false;
  #finishReason: string | undefined;
  #finish: JsonObject | undefined;
  #usage: NormalizedUsage | undefined;
  /** Whether usage came with the finish reason or behind it, or all alone: the last of an answer. */
  #hasLastUsage = false;
  /** An event that was not understood, to quote where no answer comes. */
  #unread: unknown;
  readonly #keepsFunctionCalls: boolean;

  constructor({ keepsFunctionCalls = false, candidates = 1 }: AskedFor) {
    this.#keepsFunctionCalls = keepsFunctionCalls;
    this.#candidate = new Candidate(candidates);
  }

  /** Whether the server sends messages where others send deltas: what one says depends on those before. */
  get isOfMessages(): boolean {
    return this.#message.hasBegun;
  }

  /** Whether both the finish reason and the usage have come: nothing else can follow. */
  get isComplete(): boolean {
    return this.isFinished && this.#hasLastUsage;
  }

  /** Whether the finish reason has come. */
  get isFinished(): boolean {
    return this.#finishReason !== undefined;
  }

  /** @returns the chunk that the event makes, if it makes one now */
  read(value: unknown): Chunk | undefined {
    if (!isObject(value)) return undefined;
    if (this.#hasRole && this.#candidate.isFirst && isPlain(value)) {
      this.#candidate.spoke();
      this.#hasSpoken = true;
      return value;
    }
    const { choices } = value;
    const choice = Array.isArray(choices)
      ? this.#candidate.choiceIn(choices, this.isFinished)
      : undefined;
    const usage = usageOf(value);
    const reason = choiceFinishReason(choice);
    if (usage !== undefined) this.#usage = usage;
    if (usage !== undefined && (reason !== undefined || this.isFinished || choice === undefined)) {
      this.#hasLastUsage = true;
    }
    if (!Array.isArray(choices) && usage === undefined) this.#unread = value;
    if (choice === undefined) return undefined;
    if (value.id !== undefined || value.model !== undefined) this.#head = headOf(value);
    const said = this.#saidIn(choice);
    if (reason !== undefined) this.#finished(reason, value, choice);
    if (said === undefined && this.#hasRole) return undefined;
    const delta = this.#deltaOf(said ?? {});
    const { logprobs } = choice;
    const rest = { index: 0, finish_reason: null, ...(logprobs !== undefined && { logprobs }) };
    return toChunk({ ...headOf(value), choices: [{ ...rest, delta }] });
  }

  /**
   * The end of the stream. @returns the last chunks: finish reason, usage, held-back arguments
   * @throws BrokenAnswer when this is no whole answer
   */
  end(how: StreamEnd): Chunk[] {
    const reason = this.#finishReason ?? this.#impliedReason(how);
    const calls = this.#calls.end(isCut(reason));
    if (!this.#hasSpoken && /^(tool_calls?|function_call|tool_use)$/i.test(reason)) {
      throw new BrokenAnswer("The answer ended for a tool call, and there is none.");
    }
    const chunks: Chunk[] = [];
    if (calls.length > 0) chunks.push(this.#chunk([choiceOf({ tool_calls: calls }, null)]));
    const { finish_reason: _, delta: __, message: ___, ...rest } = this.#finish ?? {};
    chunks.push(this.#chunk([{ ...rest, ...choiceOf({}, reason) }]));
    if (this.#usage !== undefined) {
      chunks.push(toChunk({ ...this.#head, choices: [], usage: this.#usage }));
    }
    return chunks;
  }

  /** The delta; or what is new in the message, where a server has sent no deltas before. */
  #saidIn({ delta, message, text }: JsonObject): JsonObject | undefined {
    const said = saidBy(delta);
    if (said !== undefined) return said;
    const whole = saidBy(message);
    if (whole !== undefined) {
      // One message is an answer; of several nobody knows which is the last.
      this.#isWhole = !this.#message.hasBegun;
      return this.#hasSpoken && !this.#message.hasBegun ? undefined : this.#message.delta(whole);
    }
    return typeof text === "string" ? { content: text } : undefined;
  }

  #deltaOf(said: JsonObject): JsonObject {
    const { text, reasoning, images, others } = contentOf(said);
    const [unseen] = others;
    if (unseen !== undefined) {
      throw new BrokenAnswer(`The answer holds ${unseen}, which a stream of text cannot hand on.`);
    }
    const calls = this.#toolCallsIn(said);
    const delta: Record<string, unknown> = {};
    for (const key of Object.keys(said)) {
      if (!contentFields.has(key) && said[key] !== null) delta[key] = said[key];
    }
    if (calls.length > 0) {
      delta.tool_calls = this.#calls.read(calls);
      delete delta.function_call;
    }
    if (!this.#hasRole) delta.role = "assistant";
    this.#hasRole = true;
    delta.content = text;
    if (reasoning !== "") delta.reasoning_content = reasoning;
    if (images.length > 0) delta.images = images;
    const isSeen = text !== "" || reasoning !== "" || calls.length > 0 || images.length > 0;
    if (isSeen || delta.audio) this.#hasSpoken = true;
    return delta;
  }

  #toolCallsIn({ tool_calls: given, function_call: legacy }: JsonObject): readonly unknown[] {
    if (Array.isArray(given) && given.length > 0) return given.filter(isObject);
    if (isObject(given)) return [given];
    return isObject(legacy) && !this.#keepsFunctionCalls ? [legacy] : [];
  }

  #finished(reason: string, value: JsonObject, choice: JsonObject): void {
    if (saysBroken(reason)) {
      throw new BrokenAnswer(`The provider ended its answer with "${excerpt(reason)}".`);
    }
    this.#finishReason = reason;
    this.#finish = choice;
    this.#head = headOf(value);
  }

  #impliedReason(how: StreamEnd): string {
    const isAnnounced = how === "announced" || this.#isWhole || this.#hasLastUsage;
    if (!isAnnounced || !this.#hasSpoken) {
      const what = this.#hasSpoken ? "broke off" : "is empty";
      const said = this.#unread === undefined ? undefined : JSON.stringify(this.#unread);
      throw new BrokenAnswer(`The provider's answer ${what}: it has no finish reason.`, { said });
    }
    return this.#calls.count > 0 ? "tool_calls" : "stop";
  }

  #chunk(choices: readonly JsonObject[]): Chunk {
    return toChunk({ ...this.#head, choices });
  }
}

/** Most of what comes: nothing but text, as OpenAI sends it. It goes on as it is. */
function isPlain(value: JsonObject): value is JsonObject & Chunk {
  const chunk = toChunk(value);
  if (!textOf(chunk)) return false;
  const role = chunk.choices[0]?.delta.role;
  return role === undefined || role === "assistant";
}

function headOf({ choices: _, usage: __, x_groq: ___, ...head }: JsonObject): JsonObject {
  return head;
}

function choiceOf(delta: JsonObject, finishReason: string | null): JsonObject {
  return { index: 0, delta, finish_reason: finishReason };
}

/** The one place where what was normalized gets the type that says so. */
function toChunk(chunk: JsonObject): Chunk {
  return chunk as unknown as Chunk;
}
