/**
 * For bots that say `stream: false`: what their models say is not shown before the end, since a guard
 * may rewrite it there. Spans show as they happen, without what a model wrote.
 */
import { AnswerFold } from "../../protocol/fold/answer-fold.ts";
import type { SpanEvent } from "../run/span-writer.ts";

export class WithheldText {
  readonly #answer = new AnswerFold();
  readonly #emit: (event: SpanEvent) => void;

  constructor(emit: (event: SpanEvent) => void) {
    this.#emit = emit;
  }

  /** The answer where the bot returns none: what was withheld. */
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
