/**
 * A run's events as the AI SDK's chunks of one message. The message is folded as everywhere; what is new in
 * it since the last event makes the chunks, so the message that the AI SDK makes of them is the one that
 * `toUIMessages` makes of the history.
 */
import type { UIMessage, UIMessageChunk } from "ai";
import { MessageFold } from "../../generated/fold/message-fold.js";
import type { ChatEvent, EventOf, Json, RunStatus, Usage } from "../types.ts";
import { blocksOf } from "./blocks.ts";
import { SentBlock } from "./sent-block.ts";

/** What a message of the AI SDK carries beside its parts. */
export interface LangwireMetadata {
  readonly runId: string;
  /** How the run ended, once it has. */
  readonly status?: RunStatus | undefined;
  /** Once the run has ended, as far as it is known. */
  readonly usage?: Usage | undefined;
  /** What a typed bot answered, once the run has completed. */
  readonly output?: Json | undefined;
}

/** A message of the AI SDK that came through Langwire. */
export type LangwireUIMessage = UIMessage<LangwireMetadata>;

export type LangwireChunk = UIMessageChunk<LangwireMetadata>;

export class UiChunks {
  readonly #message = new MessageFold();
  #sent: SentBlock[] = [];
  /** The texts that grow, by their span and kind, while nothing but pieces of texts comes. */
  readonly #growing = new Map<string, SentBlock>();
  readonly #models = new Set<string>();

  /** @returns the chunks that the event makes; that a run failed is for the stream to say */
  add(event: ChatEvent): LangwireChunk[] {
    this.#message.add(event);
    if (event.type !== "token" && event.type !== "reasoning") this.#growing.clear();
    switch (event.type) {
      case "runStart":
        return [start(event), { type: "start-step" }];
      case "token":
      case "reasoning":
        return this.#say(event);
      case "llmStart":
        this.#models.add(event.spanId);
        return [];
      case "toolProgress":
      case "toolUpdate":
        return [...this.#changes(), ...this.#reported(event)];
      case "llmEnd":
      case "error":
        this.#models.delete(event.spanId);
        return [...this.#changes(), ...this.#closeTexts()];
      case "runEnd":
        return this.#end(event);
      default:
        return this.#changes();
    }
  }

  /** A piece of a text that has been begun is just handed on. */
  #say({ type, spanId, text }: EventOf<"token" | "reasoning">): LangwireChunk[] {
    const key = `${spanId}/${type}`;
    const growing = this.#growing.get(key);
    if (growing !== undefined) return growing.grow(text);
    const chunks = this.#changes();
    // The one that has grown by it, or begun with it. Where the message was said again, it is not known.
    const [own, ...others] = this.#sent.filter(({ isChanged, isText }) => isChanged && isText);
    if (own !== undefined && others.length === 0) this.#growing.set(key, own);
    return chunks;
  }

  /** What has come since the last time. Where that is not all, the message is said again, in its one step. */
  #changes(): LangwireChunk[] {
    const blocks = blocksOf(this.#message.parts);
    const changes = this.#sent.map((sent, at) => sent.change(blocks[at]));
    const isBroken = changes.includes(undefined);
    if (isBroken) {
      this.#sent = [];
      this.#growing.clear();
    }
    const { length } = this.#sent;
    const fresh = blocks.slice(length).map((block, at) => new SentBlock(block, length + at));
    this.#sent.push(...fresh);
    const begun = fresh.flatMap((sent) => sent.begin());
    if (isBroken) return [{ type: "reset-step" }, ...begun];
    return [...changes.flatMap((chunks) => chunks ?? []), ...begun];
  }

  #closeTexts(): LangwireChunk[] {
    return this.#models.size > 0 ? [] : this.#sent.flatMap((sent) => sent.close());
  }

  /** Data that a tool reports on its way is a preliminary output, until the next. */
  #reported({ spanId, data }: { spanId: string; data?: Json | undefined }): LangwireChunk[] {
    if (data === undefined) return [];
    const sent = this.#sent.find(
      ({ block }) =>
        block.kind === "tool" && block.of.spanId === spanId && block.of.state === "running",
    );
    return sent?.report(data) ?? [];
  }

  #end({ runId, status, usage, output }: EventOf<"runEnd">): LangwireChunk[] {
    this.#models.clear();
    const chunks = [...this.#changes(), ...this.#closeTexts()];
    const messageMetadata = metadataOf({ runId, status, usage, output });
    if (status === "completed")
      return [...chunks, { type: "finish", finishReason: "stop", messageMetadata }];
    chunks.push({ type: "message-metadata", messageMetadata });
    return status === "cancelled" ? [...chunks, { type: "abort" }] : chunks;
  }
}

export function metadataOf({ runId, status, usage, output }: LangwireMetadata): LangwireMetadata {
  return { runId, status, usage, ...(output !== undefined && { output }) };
}

/** The run's id names the message, so a message that is resumed is the one that was begun. */
function start({ runId }: EventOf<"runStart">): LangwireChunk {
  return { type: "start", messageId: runId, messageMetadata: { runId } };
}
