/**
 * The tool calls that a model is writing, as `toolInput` events: first that there is one, then its
 * arguments, piece by piece, where the tools' payloads may be seen.
 *
 * LangChain's packages put a call's pieces into `tool_call_chunks` in different ways: numbered (OpenAI,
 * Anthropic), each whole and under the same number (Ollama), without ids or without numbers (servers
 * that speak OpenAI's protocol almost).
 */
import type {
  ContentBlockDeltaEvent,
  ContentBlockStartEvent,
} from "@langchain/core/language_models/event";
import { cutText, payloadLimits } from "../payload.ts";
import type { Span } from "../span-tree.ts";
import type { SpanWriter } from "../span-writer.ts";
import {
  beginOutput,
  isAnswerCall,
  type PartialOutputs,
  type WrittenOutput,
} from "./partial-outputs.ts";
import { endOfHalf, type HeldHalf, wholeCharacters } from "./whole-characters.ts";

/** A call of which a model has written something. Nothing is emitted before it has an id and a name. */
export interface WrittenCall {
  /** The provider's. LangChain runs no call that has none. */
  id: string;
  name: string;
  readonly index: unknown;
  /** Arguments that came before the id and the name. */
  early: string;
  /** Characters of its arguments so far. */
  written: number;
  readonly half: HeldHalf;
  /** Its arguments, where they are the bot's answer and no tool's. */
  output: WrittenOutput | undefined;
}

/** A piece of a call, as a package hands it on. */
export interface CallPiece {
  readonly index?: unknown;
  readonly id?: unknown;
  readonly name?: unknown;
  readonly args?: unknown;
}

export class ToolInputs {
  readonly #writer: SpanWriter;
  readonly #outputs: PartialOutputs | undefined;

  /** @param outputs of a typed bot */
  constructor(writer: SpanWriter, outputs: PartialOutputs | undefined) {
    this.#writer = writer;
    this.#outputs = outputs;
  }

  /** @param pieces of one chunk of what the model says */
  wrote(span: Span, pieces: readonly CallPiece[]): void {
    if (!isSeen(span) && !span.writesOutput) return;
    span.calls ??= [];
    for (const piece of pieces) {
      const call = callOf(span.calls, piece) ?? begin(span.calls, piece);
      this.#goOn(span, call, piece);
    }
  }

  /** LangChain's events of a block that is begun, or goes on. */
  streamed(span: Span, event: ContentBlockStartEvent | ContentBlockDeltaEvent): void {
    const { index } = event;
    if (event.event === "content-block-start") {
      const { content } = event;
      if (content.type === "tool_call_chunk") this.wrote(span, [{ ...content, index }]);
    } else if (event.delta.type === "tool-call-delta") {
      this.wrote(span, [{ index, args: event.delta.args }]);
    } else if (
      event.delta.type === "block-delta" &&
      event.delta.fields.type === "tool_call_chunk"
    ) {
      // All of the arguments so far, each time.
      const before = span.calls?.findLast((call) => call.index === index)?.written ?? 0;
      this.wrote(span, [{ index, args: textOf(event.delta.fields.args).slice(before) }]);
    }
  }

  /** The model has written its calls. */
  ended(span: Span): void {
    for (const call of span.calls ?? []) {
      if (call.half.half !== "") this.#text(span, call, endOfHalf(call.half));
      if (call.output !== undefined) this.#outputs?.ended(span, call.output);
    }
  }

  #goOn(span: Span, call: WrittenCall, { id, name, args }: CallPiece): void {
    const text = textOf(args);
    if (call.output !== undefined || (call.id !== "" && call.name !== "")) {
      this.#text(span, call, wholeCharacters(call.half, text));
      return;
    }
    call.early += text;
    if (isName(id)) call.id = cut(id);
    if (isName(name)) call.name = cut(name);
    if (call.name !== "" && isAnswer(span, call)) {
      call.output = beginOutput();
      this.#text(span, call, wholeCharacters(call.half, call.early));
      return;
    }
    if (call.id === "" || call.name === "") return;
    const begins = { spanId: span.id, toolCallId: call.id, name: call.name };
    this.#writer.emit({ type: "toolInput", runId: this.#writer.runId, ...begins });
    this.#text(span, call, wholeCharacters(call.half, call.early));
    call.early = "";
  }

  #text(span: Span, call: WrittenCall, text: string): void {
    if (text === "") return;
    call.written += text.length;
    if (call.output !== undefined) {
      this.#outputs?.wrote(span, call.output, text);
      return;
    }
    if (!this.#writer.exposesTools) return;
    const { runId } = this.#writer;
    this.#writer.emit({ type: "toolInput", runId, spanId: span.id, toolCallId: call.id, text });
  }
}

/** Whose calls readers see as they are written: of the models that speak, outside of tools. */
const isSeen = (span: Span): boolean => span.speaks && !span.hidden && span.candidates === 1;

/** Whether a call is the bot's answer: one that the model was made to write, or an agent's. */
const isAnswer = (span: Span, { name }: WrittenCall): boolean =>
  span.writesOutput || isAnswerCall(name);

/** The call that the piece goes on, if it begins none. */
function callOf(calls: readonly WrittenCall[], piece: CallPiece): WrittenCall | undefined {
  const { index, id, name } = piece;
  const isNumbered = index !== undefined && index !== null;
  const call = isNumbered ? calls.findLast((one) => one.index === index) : calls.at(-1);
  if (call === undefined) return undefined;
  if (isName(id)) return call.id === "" || call.id === cut(id) ? call : undefined;
  // Whole calls that have neither a number nor an id.
  return !isNumbered && isName(name) && call.name !== "" ? undefined : call;
}

function begin(calls: WrittenCall[], { index }: CallPiece): WrittenCall {
  const call = {
    index,
    id: "",
    name: "",
    early: "",
    written: 0,
    half: { half: "" },
    output: undefined,
  };
  calls.push(call);
  return call;
}

const isName = (value: unknown): value is string => typeof value === "string" && value !== "";

/** As event-bounds.ts cuts ids and names elsewhere. */
const cut = (name: string): string => cutText(name, payloadLimits.nameCharacters).toWellFormed();

function textOf(args: unknown): string {
  if (typeof args === "string") return args;
  return args === undefined || args === null ? "" : (JSON.stringify(args) ?? "");
}
