/** One run as people see it: somebody's message and the bot's answer, while it is made and after. */
import { reasoningIn, stateIn, stepsIn } from "../../generated/fold/of-parts.js";
import { type BotState, RunFold, type Span, type SpanText } from "../../generated/fold/run-fold.js";
import type { ClientErrorCode } from "../errors.ts";
import { givenParts, partsOfMessage, textParts } from "../message-parts.ts";
import type { ChatEvent, EventOf, Json, Message, Part, RunStatus, Usage } from "../types.ts";

export interface ChatError {
  readonly code: ClientErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  readonly retryAfterMs?: number | undefined;
  /** From servers in development mode alone: what was thrown, and where. */
  readonly detail?: string | undefined;
}

interface MessageBase {
  /** Stays the same from the first sight of the message on. */
  readonly id: string;
  readonly runId: string;
  readonly text: string;
  /**
   * What it is made of, in order: texts, reasoning, tools, sources, files, data. A person's is one text, or
   * what a typed bot was given. Live and from the history the same; of servers that keep none, the text.
   */
  readonly parts: readonly Part[];
  /** ISO time. */
  readonly at: string;
}

export interface HumanMessage extends MessageBase {
  readonly role: "human";
  /** What a typed bot was given, in place of a message: `text` is its JSON. */
  readonly input?: Json | undefined;
  /** Who wrote it. Absent while it is on its way. */
  readonly userId?: string | undefined;
  /** `refused`: the server did not take it; `error` says why. Nothing was run. */
  readonly status: "sending" | "sent" | "refused";
  readonly error?: ChatError | undefined;
}

export interface AiMessage extends MessageBase {
  readonly role: "ai";
  readonly status: "streaming" | RunStatus;
  /** What models said on the way to the answer, in order: before a tool, say. */
  readonly steps: readonly SpanText[];
  /** What the models showed of their reasoning, where they show any. */
  readonly reasoning: string;
  readonly usage?: Usage | undefined;
  readonly error?: ChatError | undefined;
  /** What a typed bot answers: as far as it is made; checked, once the run has completed. */
  readonly output?: Json | undefined;
  /** What the bot reports of its state, by channel. */
  readonly state: BotState;
  /** What happened inside the run. Empty until it is loaded, where the run was over before (`isTraced`). */
  readonly spans: readonly Span[];
  /** Whether `spans` are known. Of a run that was over before the chat was opened, `loadTrace` brings them. */
  readonly isTraced: boolean;
}

export type ChatMessage = HumanMessage | AiMessage;

/** A message as the server keeps it. @param spans what happened inside its run, where that was loaded */
export function fromHistory(message: Message, spans?: readonly Span[]): ChatMessage {
  const { runId, role, text, at, userId, status = "completed", usage, error, output } = message;
  const parts = partsOfMessage(message);
  const base = { id: messageId(runId, role), runId, text, at };
  if (role === "human") {
    return { ...base, role, parts, input: inputIn(parts), userId, status: "sent" };
  }
  const trace = { spans: spans ?? [], isTraced: spans !== undefined };
  return { ...base, role, status, ...partsOf(parts), output, usage, error, ...trace };
}

/** The parts, and what can be read of them. */
function partsOf(parts: readonly Part[]) {
  const reasoning = joinedReasoning(reasoningIn(parts));
  return { parts, steps: stepsIn(parts), reasoning, state: stateIn(parts) };
}

function joinedReasoning(reasoning: readonly SpanText[]): string {
  return reasoning.map(({ text }) => text).join("\n\n");
}

function inputIn(parts: readonly Part[]): Json | undefined {
  const given = parts.find((part) => part.type === "data" && part.origin === "input");
  return given?.type === "data" ? given.value : undefined;
}

/** A text is a message; all else a typed bot's input. */
function givenOf(given: Json): Pick<HumanMessage, "text" | "parts" | "input"> {
  if (typeof given === "string") return { text: given, parts: textParts(given), input: undefined };
  const text = JSON.stringify(given);
  return { text, parts: givenParts({ message: text, input: given }), input: given };
}

function messageId(runId: string, role: Message["role"]): string {
  return `${runId}/${role}`;
}

/** `lost`: the conversation may be read no more, and its run had not ended. */
type TurnPhase = "sending" | "running" | "lost" | "over";

export class Turn {
  readonly runId: string;
  /** Orders turns: the number of the run's first event; infinite while the message is on its way. */
  position = Number.POSITIVE_INFINITY;
  #phase: TurnPhase = "running";
  /** Why nothing more is heard of the run; whoever hears of it again all the same goes on. */
  #lost: ChatError | undefined;
  #human: HumanMessage | undefined;
  readonly #fold = new RunFold();
  /** The messages as they were last read; undefined when something has changed since. */
  #messages: readonly ChatMessage[] | undefined;

  constructor(runId: string) {
    this.runId = runId;
  }

  /** A message that has just been written. */
  static sending(runId: string, given: Json): Turn {
    const turn = new Turn(runId);
    const at = new Date().toISOString();
    turn.#phase = "sending";
    turn.#human = {
      id: messageId(runId, "human"),
      runId,
      role: "human",
      ...givenOf(given),
      at,
      status: "sending",
    };
    return turn;
  }

  get phase(): TurnPhase {
    return this.#phase;
  }

  get messages(): readonly ChatMessage[] {
    this.#messages ??= [this.#human, this.#ai()].filter((message) => message !== undefined);
    return this.#messages;
  }

  refuse({ code, message, retryable, retryAfterMs, detail }: ChatError): void {
    if (this.#phase !== "sending" || this.#human === undefined) return;
    const error = { code, message, retryable, retryAfterMs, ...(detail && { detail }) };
    this.#phase = "over";
    this.#human = { ...this.#human, status: "refused", error };
    this.#messages = undefined;
  }

  lose(error: ChatError): void {
    if (this.#phase !== "running") return;
    const { code, message, retryable } = error;
    this.#phase = "lost";
    this.#lost = { code, message, retryable };
    this.#messages = undefined;
  }

  add(event: ChatEvent): void {
    if (this.#phase === "lost") this.#phase = "running";
    this.#lost = undefined;
    this.#messages = undefined;
    this.#fold.add(event);
    if (event.type === "runStart") this.#begin(event);
    if (event.type === "runEnd") this.#phase = "over";
  }

  #begin({ runId, at, userId, message: text, input }: EventOf<"runStart">): void {
    this.#phase = "running";
    const id = messageId(runId, "human");
    const parts = givenParts({ message: text, input });
    this.#human = { id, runId, role: "human", text, parts, input, at, userId, status: "sent" };
  }

  /** The answer so far. */
  #ai(): AiMessage | undefined {
    const { start, end, text, parts, output, state, steps, spans } = this.#fold;
    const { runId, at } = end ?? start ?? {};
    if (runId === undefined || at === undefined) return undefined;
    const { status, usage, error } = end ?? this.#soFar();
    const reasoning = joinedReasoning(this.#fold.reasoning);
    const base = { id: messageId(runId, "ai"), runId, role: "ai", text, at, status } as const;
    const made = { parts, steps, reasoning, state, output };
    return { ...base, ...made, usage, error, spans, isTraced: true };
  }

  #soFar(): Pick<AiMessage, "status" | "usage" | "error"> {
    return this.#lost === undefined
      ? { status: "streaming" }
      : { status: "failed", error: this.#lost };
  }
}
