/** OpenAI's Responses API: named SSE events around output items. */
import { randomUUID } from "node:crypto";
import {
  type AnswerWriter,
  argumentPieces,
  billed,
  type JsonObject,
  type ProviderImage,
  type ProviderSource,
  type ScriptedToolCall,
  sse,
} from "./provider-protocol.ts";

/** Ids are the provider's: LangGraph takes two messages of one id for one message. */
export function response(
  output: readonly JsonObject[],
  status: string,
  id = `resp_${randomUUID()}`,
): JsonObject {
  return {
    id,
    object: "response",
    created_at: 0,
    status,
    model: "mock",
    output,
    error: null,
    incomplete_details: null,
    ...(status === "completed" && {
      usage: {
        input_tokens: billed.input,
        input_tokens_details: { cached_tokens: billed.cached },
        output_tokens: billed.output,
        output_tokens_details: { reasoning_tokens: billed.reasoning },
        total_tokens: billed.input + billed.output,
      },
    }),
  };
}

export const messageItem = (text: string) => ({
  type: "message",
  id: "msg_1",
  role: "assistant",
  status: "completed",
  content: [{ type: "output_text", text, annotations: [] }],
});

export const callItem = ({ toolCall, args }: ScriptedToolCall) => ({
  type: "function_call",
  id: `fc_${randomUUID()}`,
  call_id: `call_${randomUUID()}`,
  name: toolCall,
  arguments: JSON.stringify(args),
  status: "completed",
});

export class ResponsesWriter implements AnswerWriter {
  /** The format that was asked for; the provider repeats it in its response. */
  readonly #format: unknown;
  readonly #id = `resp_${randomUUID()}`;
  readonly #output: JsonObject[] = [];
  #open: { readonly kind: "message" | "reasoning"; text: string } | undefined;
  #sequence = 0;

  constructor(format: unknown) {
    this.#format = format;
  }

  begin(): string {
    const created = { response: response([], "in_progress", this.#id) };
    return this.#event("response.created", created) + this.#event("response.in_progress", created);
  }

  text(delta: string): string {
    const start = this.#in("message");
    return (
      start + this.#event("response.output_text.delta", { ...this.#part(), delta, logprobs: [] })
    );
  }

  reasoning(delta: string): string {
    const start = this.#in("reasoning");
    return (
      start + this.#event("response.reasoning_summary_text.delta", { ...this.#summary(), delta })
    );
  }

  toolCall(call: ScriptedToolCall): readonly string[] {
    const closed = this.#close();
    const at = { output_index: this.#output.length };
    const item = callItem(call);
    const added = { ...at, item: { ...item, arguments: "", status: "in_progress" } };
    const deltas = argumentPieces(call).map((delta) =>
      this.#event("response.function_call_arguments.delta", { ...at, item_id: item.id, delta }),
    );
    const start = closed + this.#event("response.output_item.added", added);
    if (call.unfinished) return [start, ...deltas];
    this.#output.push(item);
    const done = this.#event("response.function_call_arguments.done", {
      ...at,
      item_id: item.id,
      arguments: item.arguments,
    });
    return [start, ...deltas, done + this.#event("response.output_item.done", { ...at, item })];
  }

  image({ mimeType, base64 }: ProviderImage): string {
    const closed = this.#close();
    const at = { output_index: this.#output.length };
    const item = {
      type: "image_generation_call",
      id: "ig_1",
      status: "completed",
      output_format: mimeType.split("/")[1],
      result: base64,
    };
    this.#output.push(item);
    const added = {
      ...at,
      item: { type: item.type, id: item.id, status: "in_progress", result: null },
    };
    return (
      closed +
      this.#event("response.output_item.added", added) +
      this.#event("response.image_generation_call.in_progress", { ...at, item_id: item.id }) +
      this.#event("response.output_item.done", { ...at, item })
    );
  }

  source({ url, title }: ProviderSource): string {
    const annotation = { type: "url_citation", url, title, start_index: 0, end_index: 0 };
    const added = { ...this.#part(), annotation_index: 0, annotation };
    return this.#event("response.output_text.annotation.added", added);
  }

  refusal(refusal: string): string {
    const closed = this.#close();
    const at = { output_index: this.#output.length };
    const content = [{ type: "refusal", refusal }];
    const item = { ...messageItem(""), content };
    this.#output.push(item);
    const part = { ...at, item_id: item.id, content_index: 0 };
    return (
      closed +
      this.#event("response.output_item.added", {
        ...at,
        item: { ...item, content: [], status: "in_progress" },
      }) +
      this.#event("response.refusal.delta", { ...part, delta: refusal }) +
      this.#event("response.refusal.done", { ...part, refusal }) +
      this.#event("response.output_item.done", { ...at, item })
    );
  }

  finish(): string {
    const closed = this.#close();
    const whole = { ...response(this.#output, "completed", this.#id), text: this.#format };
    return closed + this.#event("response.completed", { response: whole });
  }

  #in(kind: "message" | "reasoning"): string {
    if (this.#open?.kind === kind) return "";
    const closed = this.#close();
    this.#open = { kind, text: "" };
    const at = { output_index: this.#output.length };
    if (kind === "message") {
      const item = { ...messageItem(""), content: [], status: "in_progress" };
      const part = { type: "output_text", text: "", annotations: [] };
      return (
        closed +
        this.#event("response.output_item.added", { ...at, item }) +
        this.#event("response.content_part.added", { ...this.#part(), part })
      );
    }
    const item = { type: "reasoning", id: "rs_1", summary: [] };
    const part = { type: "summary_text", text: "" };
    return (
      closed +
      this.#event("response.output_item.added", { ...at, item }) +
      this.#event("response.reasoning_summary_part.added", { ...this.#summary(), part })
    );
  }

  #close(): string {
    if (this.#open === undefined) return "";
    const { kind, text } = this.#open;
    this.#open = undefined;
    const at = { output_index: this.#output.length };
    if (kind === "message") {
      const item = messageItem(text);
      this.#output.push(item);
      return (
        this.#event("response.output_text.done", {
          ...at,
          item_id: item.id,
          content_index: 0,
          text,
        }) + this.#event("response.output_item.done", { ...at, item })
      );
    }
    const item = { type: "reasoning", id: "rs_1", summary: [{ type: "summary_text", text }] };
    this.#output.push(item);
    return this.#event("response.output_item.done", { ...at, item });
  }

  #part() {
    return { output_index: this.#output.length, item_id: "msg_1", content_index: 0 };
  }

  #summary() {
    return { output_index: this.#output.length, item_id: "rs_1", summary_index: 0 };
  }

  #event(type: string, data: JsonObject): string {
    const { delta } = data;
    if (this.#open !== undefined && typeof delta === "string") this.#open.text += delta;
    this.#sequence += 1;
    return sse({ type, sequence_number: this.#sequence, ...data }, type);
  }
}
