/**
 * The tool spans of one run: their start, their progress, their end. And calls for which no tool ran
 * (the tool is unknown, the arguments don't fit, a limit or a person refused): there is no callback for
 * those, but a node answers the model with a ToolMessage.
 */
import type { ToolMessage } from "@langchain/core/messages";
import { ToolNotRun } from "../../failures/tool-not-run.ts";
import { ToolResults } from "../content/tool-results.ts";
import type { AskedCall, ModelResult } from "../model/model-result.ts";
import { toPayload } from "../payload.ts";
import { argumentsOf, toolMessagesIn } from "../span-payloads.ts";
import type { Span } from "../span-tree.ts";
import type { SpanWriter } from "../span-writer.ts";

export class ToolEvents {
  readonly #writer: SpanWriter;
  readonly #results: ToolResults;
  /** Tool calls of this run's models that have no result yet, by the call's id. */
  readonly #asked = new Map<string, AskedCall>();

  /** @param options.maxFileCharacters of the `data:` URLs of the run's files, together */
  constructor(writer: SpanWriter, options: { readonly maxFileCharacters: number | undefined }) {
    this.#writer = writer;
    this.#results = new ToolResults(options);
  }

  asked({ toolCalls, invalidToolCalls }: ModelResult): void {
    for (const call of [...toolCalls, ...invalidToolCalls]) {
      if (call.id) this.#asked.set(call.id, call);
    }
  }

  started(span: Span, input: string, toolCallId: string | undefined): void {
    span.toolCallId = toolCallId;
    if (toolCallId !== undefined) this.#asked.delete(toolCallId);
    if (span.hidden) return;
    this.#writer.emit({
      type: "toolStart",
      ...this.#writer.opening(span),
      ...(toolCallId && { toolCallId }),
      ...(this.#writer.exposes(span) && { input: toPayload(argumentsOf(input)) }),
    });
  }

  progressed(span: Span | undefined, chunk: unknown): void {
    if (span === undefined || !span.open || span.hidden) return;
    const data = this.#writer.exposes(span) && { data: toPayload(chunk) };
    this.#writer.emit({
      type: "toolProgress",
      runId: this.#writer.runId,
      spanId: span.id,
      ...data,
    });
  }

  ended(span: Span, output: unknown): void {
    const closing = this.#writer.shut(span);
    if (closing === undefined) return;
    const returned = this.#writer.exposes(span) && this.#results.of(output, span.toolCallId);
    this.#writer.emit({ type: "toolEnd", ...closing, ...returned });
  }

  /** A chain is about to end: of a graph's nodes, the messages are the answers to calls. */
  chainEnding(node: Span, outputs: unknown): void {
    if (this.#asked.size === 0 || !node.isNode) return;
    for (const message of toolMessagesIn(outputs)) {
      const call = this.#asked.get(message.tool_call_id);
      if (call !== undefined) this.#answeredByNode(node, message, call);
    }
  }

  #answeredByNode(node: Span, message: ToolMessage, { name, args }: AskedCall): void {
    const span = this.#writer.open({
      id: crypto.randomUUID(),
      kind: "tool",
      name,
      parentId: node.id,
      tags: undefined,
    });
    this.started(
      span,
      typeof args === "string" ? args : JSON.stringify(args),
      message.tool_call_id,
    );
    if (message.status !== "error") this.ended(span, message);
    else this.#writer.breakOff(span, new ToolNotRun(message.text));
  }
}
