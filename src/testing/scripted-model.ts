/** A model that says what a test tells it to, for contract tests of bots and clients. */
import { setTimeout as sleep } from "node:timers/promises";
import type { CallbackManagerForLLMRun } from "@langchain/core/callbacks/manager";
import {
  BaseChatModel,
  type BaseChatModelCallOptions,
} from "@langchain/core/language_models/chat_models";
import { AIMessageChunk, type BaseMessage } from "@langchain/core/messages";
import { ChatGenerationChunk, type ChatResult } from "@langchain/core/outputs";

/** What the model says at one call. */
export interface ScriptedReply {
  /** Each piece is one token. */
  readonly tokens?: readonly string[];
  readonly toolCalls?: readonly { name: string; args: Record<string, unknown>; id?: string }[];
  /** Wait before each token, in milliseconds. Default 0. */
  readonly paceMs?: number;
  /** The reply ends, after its last token, only when this has settled. */
  readonly until?: Promise<unknown>;
  /** Thrown after the tokens. */
  readonly error?: Error;
  readonly usage?: { readonly inputTokens: number; readonly outputTokens: number };
}

type Script = (messages: readonly BaseMessage[], call: number) => ScriptedReply;

/**
 * @example
 * const model = scriptedModel([{ tokens: ["Hel", "lo"] }, { tokens: ["Bye"] }]);
 * const echo = scriptedModel((messages) => ({ tokens: [messages.at(-1)?.text ?? ""] }));
 * @param script one reply for each call, the last again when they run out; or a function of the call
 */
export function scriptedModel(script: readonly ScriptedReply[] | Script): ScriptedModel {
  return new ScriptedModel(typeof script === "function" ? script : inOrder(script));
}

function inOrder(replies: readonly ScriptedReply[]): Script {
  return (_messages, call) => replies[Math.min(call, replies.length - 1)] ?? {};
}

export class ScriptedModel extends BaseChatModel<BaseChatModelCallOptions, AIMessageChunk> {
  readonly model = "scripted";
  /** The messages of each call, oldest call first. */
  readonly calls: BaseMessage[][] = [];
  readonly #script: Script;

  constructor(script: Script) {
    super({});
    this.#script = script;
  }

  static override lc_name(): string {
    return "ScriptedModel";
  }

  override _llmType(): string {
    return this.model;
  }

  /** Ignored: the script says which tools are called. */
  override bindTools() {
    return this.withConfig({});
  }

  override async _generate(
    messages: BaseMessage[],
    options: this["ParsedCallOptions"],
    runManager?: CallbackManagerForLLMRun,
  ): Promise<ChatResult> {
    let whole: AIMessageChunk | undefined;
    for await (const { message } of this._streamResponseChunks(messages, options, runManager)) {
      whole = whole?.concat(message as AIMessageChunk) ?? (message as AIMessageChunk);
    }
    // A chunk here too: LangChain's own `withStructuredOutput` takes nothing else.
    const message = whole ?? new AIMessageChunk("");
    return { generations: [{ text: message.text, message }] };
  }

  override async *_streamResponseChunks(
    messages: BaseMessage[],
    { signal }: this["ParsedCallOptions"],
    runManager?: CallbackManagerForLLMRun,
  ): AsyncGenerator<ChatGenerationChunk> {
    const reply = this.#script(messages, this.calls.length);
    this.calls.push(messages);
    for (const text of reply.tokens ?? []) {
      if (reply.paceMs !== undefined) await sleep(reply.paceMs, undefined, { signal });
      signal?.throwIfAborted();
      yield new ChatGenerationChunk({ text, message: new AIMessageChunk(text) });
      await runManager?.handleLLMNewToken(text);
    }
    if (reply.until !== undefined) await orAborted(reply.until, signal);
    if (reply.error !== undefined) throw reply.error;
    yield lastChunk(reply);
  }
}

function lastChunk({ tokens = [], toolCalls = [], usage }: ScriptedReply): ChatGenerationChunk {
  const inputTokens = usage?.inputTokens ?? 1;
  const outputTokens = usage?.outputTokens ?? tokens.length + toolCalls.length;
  const finishReason = toolCalls.length > 0 ? "tool_calls" : "stop";
  return new ChatGenerationChunk({
    text: "",
    generationInfo: { finish_reason: finishReason },
    message: new AIMessageChunk({
      content: "",
      tool_call_chunks: toolCalls.map(({ name, args, id }, index) => ({
        type: "tool_call_chunk",
        index,
        id: id ?? `call_${index}`,
        name,
        args: JSON.stringify(args),
      })),
      response_metadata: { finish_reason: finishReason },
      usage_metadata: {
        input_tokens: inputTokens,
        output_tokens: outputTokens,
        total_tokens: inputTokens + outputTokens,
      },
    }),
  });
}

async function orAborted(until: Promise<unknown>, signal: AbortSignal | undefined): Promise<void> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    signal?.throwIfAborted();
    await Promise.race([until, aborted.promise]);
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}
