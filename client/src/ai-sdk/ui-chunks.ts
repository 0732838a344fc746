/** A run's events as the AI SDK's chunks of one message. */
import type { UIMessage, UIMessageChunk } from "ai";
import { AnswerFold } from "../../generated/fold/answer-fold.js";
import { wasSaid } from "../../generated/fold/answer-spans.js";
import type { ChatEvent, EventOf, Json, RunStatus, Usage } from "../types.ts";

/** What a message of the AI SDK carries beside its parts. */
export interface LangwireMetadata {
  readonly runId: string;
  /** How the run ended, once it has. */
  readonly status?: RunStatus | undefined;
  /** Once the run has ended, as far as it is known. */
  readonly usage?: Usage | undefined;
}

/** A message of the AI SDK that came through Langwire. */
export type LangwireUIMessage = UIMessage<LangwireMetadata>;

export type LangwireChunk = UIMessageChunk<LangwireMetadata>;

/** What was said or called in the current step, and by which span: a reset takes back one span's. */
interface StepChunk {
  readonly spanId: string;
  readonly chunk: LangwireChunk;
}

type Kind = "text" | "reasoning";

/** What became of a tool that was at work when its run ended. */
export const unfinished = "The run ended before the tool did.";

type Progress = Omit<EventOf<"toolProgress">, "type">;

export class UiChunks {
  #step: StepChunk[] = [];
  readonly #models = new Set<string>();
  readonly #openParts = new Map<string, { readonly spanId: string; readonly kind: Kind }>();
  /** The tools that are at work: the id of the call that each answers. */
  readonly #tools = new Map<string, string>();
  /** What each tool has said while it works. */
  readonly #progress = new Map<string, string>();
  readonly #answer = new AnswerFold();

  /** @returns the chunks that the event makes; that a run failed is for the stream to say */
  add(event: ChatEvent): LangwireChunk[] {
    this.#answer.add(event);
    switch (event.type) {
      case "runStart":
        return [start(event)];
      case "llmStart":
        return this.#beginStep(event.spanId);
      case "token":
        return this.#say("text", event);
      case "reasoning":
        return this.#say("reasoning", event);
      case "reset":
        return this.#takeBack(event.spanId);
      case "llmEnd":
        this.#models.delete(event.spanId);
        return this.#closeParts(event.spanId);
      case "toolStart":
        return this.#record(event.spanId, [this.#callTool(event)]);
      case "toolProgress":
      case "toolUpdate":
        return this.#toolProgress(event);
      case "toolEnd":
        return this.#toolEnded(event);
      case "error":
        return this.#spanFailed(event);
      case "retrieverEnd":
        return this.#record(event.spanId, sources(event));
      case "custom":
        return this.#record(event.spanId, [{ type: `data-${event.name}`, data: event.data }]);
      case "runEnd":
        return this.#end(event);
      case "chainStart":
      case "chainEnd":
      case "retrieverStart":
      case "agentAction":
      case "agentFinish":
      case "text":
      case "toolInput":
      case "output":
      case "state":
        return [];
      default:
        return ignored(event);
    }
  }

  /** Models that speak at the same time share a step. */
  #beginStep(spanId: string): LangwireChunk[] {
    const shared = this.#models.size > 0;
    this.#models.add(spanId);
    if (shared) return [];
    const isFirst = this.#step.length === 0;
    this.#step = [];
    return isFirst ? [{ type: "start-step" }] : [{ type: "finish-step" }, { type: "start-step" }];
  }

  #say(kind: Kind, { spanId, text }: EventOf<"token" | "reasoning">): LangwireChunk[] {
    const id = `${spanId}/${kind}`;
    const chunks: LangwireChunk[] = [];
    if (!this.#openParts.has(id)) {
      this.#openParts.set(id, { spanId, kind });
      chunks.push({ type: `${kind}-start`, id });
    }
    chunks.push({ type: `${kind}-delta`, id, delta: text });
    return this.#record(spanId, chunks);
  }

  #closeParts(ofSpanId?: string): LangwireChunk[] {
    return [...this.#openParts].flatMap(([id, { spanId, kind }]) => {
      if (ofSpanId !== undefined && ofSpanId !== spanId) return [];
      this.#openParts.delete(id);
      return this.#record(spanId, [{ type: `${kind}-end`, id }]);
    });
  }

  /** A step is reset as a whole, so what the others said in it is said again. */
  #takeBack(spanId: string): LangwireChunk[] {
    for (const [id, part] of this.#openParts) {
      if (part.spanId === spanId) this.#openParts.delete(id);
    }
    this.#tools.delete(spanId);
    this.#step = this.#step.filter((entry) => entry.spanId !== spanId);
    return [{ type: "reset-step" }, ...this.#step.map(({ chunk }) => chunk)];
  }

  #callTool({ spanId, toolCallId = spanId, name, input }: EventOf<"toolStart">): LangwireChunk {
    this.#tools.set(spanId, toolCallId);
    const call = { toolCallId, toolName: name, input: input ?? {} };
    return { type: "tool-input-available", ...call, dynamic: true, providerExecuted: true };
  }

  /** A preliminary output replaces the one before it, so it has all that the tool has said so far. */
  #toolProgress({ spanId, text, data }: Progress): LangwireChunk[] {
    if (text !== undefined) {
      this.#progress.set(spanId, (this.#progress.get(spanId) ?? "") + text);
    }
    return this.#toolOutput(spanId, data ?? this.#progress.get(spanId), { preliminary: true });
  }

  #toolEnded({ spanId, output }: EventOf<"toolEnd">): LangwireChunk[] {
    const chunks = this.#toolOutput(spanId, output);
    this.#tools.delete(spanId);
    return chunks;
  }

  /** Of a tool that was never called there is no part, and an output without one is an error. */
  #toolOutput(
    spanId: string,
    output: unknown,
    more: { readonly preliminary?: boolean } = {},
  ): LangwireChunk[] {
    const toolCallId = this.#tools.get(spanId);
    if (toolCallId === undefined) return [];
    const call = { toolCallId, dynamic: true, providerExecuted: true };
    const type = "tool-output-available";
    return this.#record(spanId, [{ type, ...call, output: output ?? null, ...more }]);
  }

  #spanFailed({ spanId, source, message }: EventOf<"error">): LangwireChunk[] {
    if (source === "llm") this.#models.delete(spanId);
    return this.#tools.has(spanId) ? this.#failTool(spanId, message) : this.#closeParts(spanId);
  }

  #failTool(spanId: string, errorText: string): LangwireChunk[] {
    const toolCallId = this.#tools.get(spanId) ?? spanId;
    this.#tools.delete(spanId);
    const call = { toolCallId, dynamic: true, providerExecuted: true };
    return this.#record(spanId, [{ type: "tool-output-error", ...call, errorText }]);
  }

  #end({ runId, status, text, usage }: EventOf<"runEnd">): LangwireChunk[] {
    const chunks = this.#closeParts();
    // A run that is cancelled or fails leaves tools open, and nothing more is heard of them.
    for (const spanId of [...this.#tools.keys()])
      chunks.push(...this.#failTool(spanId, unfinished));
    // The bot may answer what no model said, and who came after the tokens had left the log saw none.
    if (!wasSaid(this.#answer, text)) chunks.push(...wholeText(runId, text));
    const messageMetadata = { runId, status, usage };
    if (status === "completed")
      return [...chunks, { type: "finish", finishReason: "stop", messageMetadata }];
    chunks.push({ type: "message-metadata", messageMetadata });
    return status === "cancelled" ? [...chunks, { type: "abort" }] : chunks;
  }

  #record(spanId: string, chunks: LangwireChunk[]): LangwireChunk[] {
    this.#step.push(...chunks.map((chunk) => ({ spanId, chunk })));
    return chunks;
  }
}

/** The run's id names the message, so a message that is resumed is the one that was begun. */
function start({ runId }: EventOf<"runStart">): LangwireChunk {
  return { type: "start", messageId: runId, messageMetadata: { runId } };
}

function wholeText(runId: string, text: string): LangwireChunk[] {
  const id = `${runId}/text`;
  return [
    { type: "text-start", id },
    { type: "text-delta", id, delta: text },
    { type: "text-end", id },
  ];
}

function sources({ spanId, documents = [] }: EventOf<"retrieverEnd">): LangwireChunk[] {
  return documents.map(({ id, metadata }, index) => ({
    type: "source-document",
    sourceId: id ?? `${spanId}/${index}`,
    mediaType: "text/plain",
    title: titleIn(metadata) ?? id ?? `Document ${index + 1}`,
  }));
}

function titleIn(metadata: Json | undefined): string | undefined {
  if (typeof metadata !== "object" || metadata === null || Array.isArray(metadata))
    return undefined;
  const title = metadata.title ?? metadata.source;
  return typeof title === "string" ? title : undefined;
}

/** A newer server may say what this client has not learnt. */
function ignored(_event: never): LangwireChunk[] {
  return [];
}
