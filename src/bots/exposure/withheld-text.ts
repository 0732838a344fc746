/**
 * Withholds the text of models, for bots with `stream: false`, since a guard may rewrite it at the end.
 * Spans are emitted as they happen, without what a model wrote.
 */
import { AnswerFold } from "../../protocol/fold/answer-fold.ts";
import type { SpanEvent } from "../run/span-writer.ts";

/** Events without a model's text. The compiler asks of a new type whether it has one. */
type Told =
  | "chainStart"
  | "chainEnd"
  | "llmStart"
  | "llmEnd"
  | "toolStart"
  | "toolEnd"
  | "toolUpdate"
  | "retrieverStart"
  | "retrieverEnd"
  | "agentFinish"
  | "text"
  | "custom"
  | "state"
  | "error";

export class WithheldText {
  readonly #answer = new AnswerFold();
  readonly #emit: (event: SpanEvent) => void;
  readonly #hasOutput: boolean;

  /** @param options.hasOutput whether the bot's `output` makes the answer, of what its runnable returned */
  constructor(options: {
    readonly emit: (event: SpanEvent) => void;
    readonly hasOutput: boolean;
  }) {
    this.#emit = options.emit;
    this.#hasOutput = options.hasOutput;
  }

  /** The withheld text: the answer where the bot returns none. */
  get text(): string {
    return this.#answer.text;
  }

  emit(event: SpanEvent): void {
    this.#answer.add(event);
    switch (event.type) {
      case "token":
      case "reasoning":
      case "reset":
      // Chains report their model's words in it.
      case "text":
      case "output":
        return;
      case "toolInput": {
        const { text: _written, ...call } = event;
        if (call.name !== undefined) this.#emit(call);
        return;
      }
      case "toolProgress":
        if (event.text === undefined) this.#emit(event);
        return;
      case "agentAction": {
        const { log: _written, ...action } = event;
        this.#emit(action);
        return;
      }
      // An agent may finish inside of the guard.
      case "agentFinish": {
        const { log: _written, output: _said, ...finish } = event;
        this.#emit(finish);
        return;
      }
      case "chainEnd": {
        const { output: _returned, ...end } = event;
        this.#emit(this.#hasOutput ? end : event);
        return;
      }
      default:
        this.#emit(event satisfies Extract<SpanEvent, { type: Told }>);
    }
  }
}
