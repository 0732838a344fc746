/** One run as people see it: somebody's message and the bot's answer, while it is made and after. */
import { RunFold, type Span, type SpanText } from "../../generated/fold/run-fold.js";
import type { ClientErrorCode } from "../errors.ts";
import type { ChatEvent, EventOf, Message, RunStatus, Usage } from "../types.ts";

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
  /**
   * What models said on the way to the answer, in order: before a tool, say. Empty for runs that were
   * over before the chat was opened.
   */
  readonly steps: readonly SpanText[];
  /** What the models showed of their reasoning, where they show any. */
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
    : { ...base, role, status: status ?? "completed", ...nothingSeen, usage, error };
}

/** Of a run whose events were not followed. */
const nothingSeen = { steps: [], reasoning: "", spans: [] } as const;

function messageId(runId: string, role: Message["role"]): string {
  return `${runId}/${role}`;
}

export class Turn {
  readonly runId: string;
  /** Orders turns: the number of the run's first event; infinite while the message is on its way. */
  position = Number.POSITIVE_INFINITY;
  #phase: "sending" | "running" | "over" = "running";
  #human: HumanMessage | undefined;
  readonly #fold = new RunFold();
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
    this.#messages ??= [this.#human, this.#ai()].filter((message) => message !== undefined);
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
    this.#fold.add(event);
    if (event.type === "runStart") this.#begin(event);
    if (event.type === "runEnd") this.#phase = "over";
  }

  #begin({ runId, at, userId, message: text }: EventOf<"runStart">): void {
    this.#phase = "running";
    const id = messageId(runId, "human");
    this.#human = { id, runId, role: "human", text, at, userId, status: "sent" };
  }

  /** The answer so far. */
  #ai(): AiMessage | undefined {
    const { start, end, text, steps, spans } = this.#fold;
    const { runId, at } = end ?? start ?? {};
    if (runId === undefined || at === undefined) return undefined;
    const { status, usage, error } = end ?? { status: "streaming" };
    const reasoning = this.#fold.reasoning.map((one) => one.text).join("\n\n");
    const id = messageId(runId, "ai");
    return { id, runId, role: "ai", text, at, status, steps, reasoning, usage, error, spans };
  }
}
