/** A block of a message that the AI SDK has been told of, and how it is told what is new in it. */
import type { Json } from "../types.ts";
import { type Block, callOf, endOf, type ToolBlock, type WholePart } from "./blocks.ts";
import type { LangwireChunk } from "./ui-chunks.ts";

type TextBlock = Extract<Block, { kind: "text" | "reasoning" }>;

export class SentBlock {
  readonly #id: string;
  #block: Block;
  #isClosed = false;
  #isChanged = true;

  /** @param index its place in the message */
  constructor(block: Block, index: number) {
    this.#block = block;
    this.#id = String(index);
  }

  get block(): Block {
    return this.#block;
  }

  get isText(): boolean {
    return this.#block.kind === "text" || this.#block.kind === "reasoning";
  }

  /** Whether the last `change` brought something, or it has just begun. */
  get isChanged(): boolean {
    return this.#isChanged;
  }

  begin(): LangwireChunk[] {
    const block = this.#block;
    switch (block.kind) {
      case "text":
      case "reasoning":
        return [{ type: `${block.kind}-start`, id: this.#id }, this.#delta(block, block.text)];
      case "tool":
        return toolChanges(block) ?? [];
      case "whole":
        return [chunkOf(block.part)];
    }
  }

  /** What makes it the block that it is now. Undefined where it cannot be made of what was told. */
  change(now: Block | undefined): LangwireChunk[] | undefined {
    const before = this.#block;
    const chunks = this.#change(now);
    this.#isChanged = (chunks?.length ?? 0) > 0;
    if (chunks === undefined) this.#block = before;
    return chunks;
  }

  /** A text that goes on with a piece. */
  grow(text: string): LangwireChunk[] {
    const block = this.#block;
    if (block.kind !== "text" && block.kind !== "reasoning") return [];
    this.#block = { ...block, text: block.text + text };
    return [this.#delta(block, text)];
  }

  /** Nothing more comes of a text. */
  close(): LangwireChunk[] {
    const { kind } = this.#block;
    if (this.#isClosed || (kind !== "text" && kind !== "reasoning")) return [];
    this.#isClosed = true;
    return [{ type: `${kind}-end`, id: this.#id }];
  }

  /** What a tool that is at work has reported. */
  report(data: Json): LangwireChunk[] {
    return this.#block.kind === "tool" ? [preliminary(this.#block, data)] : [];
  }

  #change(now: Block | undefined): LangwireChunk[] | undefined {
    const before = this.#block;
    if (now === undefined || now.kind !== before.kind) return undefined;
    this.#block = now;
    switch (now.kind) {
      case "text":
      case "reasoning":
        return this.#grown(before as TextBlock, now);
      case "tool":
        return toolChanges(now, before as ToolBlock);
      case "whole":
        return replaced((before as { part: WholePart }).part, now.part);
    }
  }

  #grown(before: TextBlock, now: TextBlock): LangwireChunk[] | undefined {
    if (now.text === before.text) return [];
    if (this.#isClosed || !now.text.startsWith(before.text)) return undefined;
    return [this.#delta(now, now.text.slice(before.text.length))];
  }

  #delta({ kind }: TextBlock, delta: string): LangwireChunk {
    return { type: `${kind}-delta`, id: this.#id, delta };
  }
}

/** @param before what was told of it; undefined: nothing */
function toolChanges(now: ToolBlock, before?: ToolBlock): LangwireChunk[] | undefined {
  if (before?.of === now.of) return [];
  const [tool, told] = [now.of, before?.of];
  if (before !== undefined && !isOne(now, before)) return undefined;
  const { toolCallId, ...call } = callOf(now);
  const chunks: LangwireChunk[] = [];
  const isWriting = tool.state === "writing" && tool.input === undefined;
  if (isWriting) {
    if (told === undefined) {
      chunks.push({ type: "tool-input-start", toolCallId, ...call, dynamic: true });
    }
    const inputTextDelta = (tool.inputText ?? "").slice((told?.inputText ?? "").length);
    if (inputTextDelta !== "")
      chunks.push({ type: "tool-input-delta", toolCallId, inputTextDelta });
    return chunks;
  }
  const wasWriting = told === undefined || (told.state === "writing" && told.input === undefined);
  if (wasWriting || !isSame(told.input, tool.input)) {
    const input = tool.input ?? {};
    chunks.push({ type: "tool-input-available", toolCallId, ...call, input, dynamic: true });
  }
  const end = endOf(tool);
  if (end === undefined) {
    if (tool.progress !== told?.progress) chunks.push(preliminary(now, tool.progress ?? ""));
    return chunks;
  }
  const known = { toolCallId, dynamic: true, providerExecuted: true };
  if (end.state === "output-error") {
    chunks.push({ type: "tool-output-error", ...known, errorText: end.errorText });
  } else chunks.push({ type: "tool-output-available", ...known, output: end.output });
  return chunks;
}

/** Whether the one can become the other. A tool that had ended is not taken up again. */
function isOne(now: ToolBlock, before: ToolBlock): boolean {
  const sameCall = now.id === before.id && now.of.name === before.of.name;
  const text = before.of.inputText ?? "";
  const goesOn = now.of.inputText === undefined || now.of.inputText.startsWith(text);
  return sameCall && goesOn && endOf(before.of) === undefined;
}

function preliminary({ id: toolCallId }: ToolBlock, output: Json): LangwireChunk {
  const call = { toolCallId, dynamic: true, providerExecuted: true };
  return { type: "tool-output-available", ...call, output, preliminary: true };
}

/** Data with an id is replaced where it is; nothing else can be. */
function replaced(before: WholePart, now: WholePart): LangwireChunk[] | undefined {
  if (isSame(before, now)) return [];
  const [old, id] = [before, now].map((part) => ("id" in part ? part.id : undefined));
  return id !== undefined && id === old ? [chunkOf(now)] : undefined;
}

function chunkOf(part: WholePart): LangwireChunk {
  return part as LangwireChunk;
}

function isSame(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
