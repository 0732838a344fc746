/** One run as people see it: somebody's message and the bot's answer, while it is made and after. */
import { Answer } from "../answer.ts";
import type { ClientErrorCode } from "../errors.ts";
import type { ChatEvent, EventOf, Message, RunStatus, Usage } from "../types.ts";
import { type Span, SpanTree } from "./span-tree.ts";

export interface ChatError {
  readonly code: ClientErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  readonly retryAfterMs?: number | undefined;
}

interface MessageBase {
  /** Stays the same from the first sight of the message on. */
  readonly id: string;
  readonly runId: string;
  readonly text: string;
  /** ISO time. */
  readonly at: string;
}

export interface HumanMessage extends MessageBase {
  readonly role: "human";
  /** Who wrote it. Absent while it is on its way. */
  readonly userId?: string | undefined;
  /** `refused`: the server did not take it; `error` says why. Nothing was run. */
  readonly status: "sending" | "sent" | "refused";
  readonly error?: ChatError | undefined;
}

export interface AiMessage extends MessageBase {
  readonly role: "ai";
  readonly status: "streaming" | RunStatus;
  /** What the model showed of its reasoning, where it shows any. */
  readonly reasoning: string;
  readonly usage?: Usage | undefined;
  readonly error?: ChatError | undefined;
  /** What happened inside the run. Empty for runs that were over before the chat was opened. */
  readonly spans: readonly Span[];
}

export type ChatMessage = HumanMessage | AiMessage;

/** A message as the server keeps it. */
export function fromHistory(message: Message): ChatMessage {
  const { runId, role, text, at, userId, status, usage, error } = message;
  const base = { id: messageId(runId, role), runId, text, at };
  return role === "human"
    ? { ...base, role, userId, status: "sent" }
    : { ...base, role, status: status ?? "completed", reasoning: "", usage, error, spans: [] };
}

function messageId(runId: string, role: Message["role"]): string {
  return `${runId}/${role}`;
}

export class Turn {
  readonly runId: string;
  #phase: "sending" | "running" | "over" = "running";
  #human: HumanMessage | undefined;
  #ai: AiMessage | undefined;
  readonly #answer = new Answer();
  readonly #spans = new SpanTree();
  readonly #reasoning = new Map<string, string>();
  /** The messages as they were last read; undefined when something has changed since. */
  #messages: readonly ChatMessage[] | undefined;

  constructor(runId: string) {
    this.runId = runId;
  }

  /** A message that has just been written. */
  static sending({ runId, text }: { runId: string; text: string }): Turn {
    const turn = new Turn(runId);
    const at = new Date().toISOString();
    turn.#phase = "sending";
    turn.#human = {
      id: messageId(runId, "human"),
      runId,
      role: "human",
      text,
      at,
      status: "sending",
    };
    return turn;
  }

  get phase(): "sending" | "running" | "over" {
    return this.#phase;
  }

  get messages(): readonly ChatMessage[] {
    this.#messages ??= [this.#human, this.#answerSoFar()].filter(
      (message) => message !== undefined,
    );
    return this.#messages;
  }

  refuse({ code, message, retryable, retryAfterMs }: ChatError): void {
    if (this.#phase !== "sending" || this.#human === undefined) return;
    const error = { code, message, retryable, retryAfterMs };
    this.#phase = "over";
    this.#human = { ...this.#human, status: "refused", error };
    this.#messages = undefined;
  }

  add(event: ChatEvent): void {
    if (this.#phase === "over") return;
    this.#messages = undefined;
    this.#answer.add(event);
    this.#spans.add(event);
    if (event.type === "runStart") this.#begin(event);
    if (event.type === "reasoning") this.#reason(event.spanId, event.text);
    if (event.type === "reset") this.#reasoning.delete(event.spanId);
    if (event.type === "runEnd") this.#end(event);
  }

  #begin({ runId, at, userId, message: text }: EventOf<"runStart">): void {
    this.#phase = "running";
    this.#human = {
      id: messageId(runId, "human"),
      runId,
      role: "human",
      text,
      at,
      userId,
      status: "sent",
    };
    this.#ai = {
      id: messageId(runId, "ai"),
      runId,
      role: "ai",
      text: "",
      at,
      status: "streaming",
      reasoning: "",
      spans: [],
    };
  }

  #end({ runId, at, status, usage, error }: EventOf<"runEnd">): void {
    this.#phase = "over";
    const { text } = this.#answer;
    const reasoning = this.#reasoningText;
    const spans = this.#spans.roots;
    const id = messageId(runId, "ai");
    this.#ai = { id, runId, role: "ai", text, at, status, reasoning, usage, error, spans };
  }

  #reason(spanId: string, text: string): void {
    this.#reasoning.set(spanId, (this.#reasoning.get(spanId) ?? "") + text);
  }

  #answerSoFar(): AiMessage | undefined {
    if (this.#phase !== "running" || this.#ai === undefined) return this.#ai;
    const { text } = this.#answer;
    return { ...this.#ai, text, reasoning: this.#reasoningText, spans: this.#spans.roots };
  }

  get #reasoningText(): string {
    return [...this.#reasoning.values()].join("\n\n");
  }
}
