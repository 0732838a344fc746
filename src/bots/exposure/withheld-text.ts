/**
 * Withholds the text of models, for bots with `stream: false`, since a guard may rewrite it at the end.
 * Spans are emitted as they happen, without what a model wrote.
 */
import { AnswerFold } from "../../protocol/fold/answer-fold.ts";
import type { SpanEvent } from "../run/span-writer.ts";

export class WithheldText {
  readonly #answer = new AnswerFold();
  readonly #emit: (event: SpanEvent) => void;

  constructor(emit: (event: SpanEvent) => void) {
    this.#emit = emit;
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
        return;
      case "toolProgress":
        if (event.text === undefined) this.#emit(event);
        return;
      case "agentAction": {
        const { log: _written, ...action } = event;
        this.#emit(action);
        return;
      }
      default:
        this.#emit(event);
    }
  }
}
