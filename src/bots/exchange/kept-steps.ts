/**
 * The steps of a run in progress, a model's calls with the results that they have so far, bounded: no more of them is
 * held than is stored in the end. Where all together are too long, texts and arguments are cut shorter, as they will
 * be when they are stored, before a step is forgotten.
 */
import { AIMessage, ToolMessage } from "@langchain/core/messages";
import { cutText } from "../run/payload.ts";
import {
  exchangeCharacters,
  resultText,
  storedArguments,
  textCharacters,
} from "./stored-exchange.ts";

/** One message of a model, with the results that its calls have so far. */
export interface Step {
  readonly asking: AIMessage;
  readonly results: Map<string, ToolMessage>;
}

interface Call {
  readonly id: string;
  readonly name: string;
  readonly args: Record<string, unknown>;
}

/** Steps that are kept: the last ones. */
const stepsAtMost = 200;
/** Characters of all of them, above which texts are cut shorter. */
const charactersAtMost = 2 * exchangeCharacters;

export class KeptSteps {
  readonly #steps: Step[] = [];
  /** By the id of a call, which a server may give again: the newest. */
  readonly #byCall = new Map<string, Step>();
  #characters = 0;
  /** How long a text may be: which of the lengths. */
  #length = 0;

  get all(): readonly Step[] {
    return this.#steps;
  }

  asked(text: string, calls: readonly Call[]): void {
    const step = { asking: this.#asking(text, calls), results: new Map<string, ToolMessage>() };
    this.#steps.push(step);
    for (const { id } of calls) this.#byCall.set(id, step);
    if (this.#steps.length > stepsAtMost) this.#forget(this.#steps.shift());
    this.#count(charactersOf(step));
  }

  /** The last answer counts: what a node makes of its tool's is what the model is given. */
  answered(message: ToolMessage): void {
    const { tool_call_id: id } = message;
    const step = this.#byCall.get(id);
    if (step === undefined) return;
    const before = step.results.get(id);
    const result = this.#result(message);
    step.results.set(id, result);
    this.#count(result.text.length - (before?.text.length ?? 0));
  }

  #count(characters: number): void {
    this.#characters += characters;
    while (this.#characters > charactersAtMost && this.#length < textCharacters.length - 1) {
      this.#length += 1;
      this.#characters = 0;
      for (const [at, { asking, results }] of this.#steps.entries()) {
        const calls = (asking.tool_calls ?? []).map((call) => ({ ...call, id: call.id ?? "" }));
        const shorter = { asking: this.#asking(asking.text, calls), results };
        for (const [id, result] of results) results.set(id, this.#result(result));
        for (const { id } of calls) {
          if (this.#byCall.get(id) === this.#steps[at]) this.#byCall.set(id, shorter);
        }
        this.#steps[at] = shorter;
        this.#characters += charactersOf(shorter);
      }
    }
  }

  #forget(step: Step | undefined): void {
    if (step === undefined) return;
    this.#characters -= charactersOf(step);
    for (const { id = "" } of step.asking.tool_calls ?? []) {
      if (this.#byCall.get(id) === step) this.#byCall.delete(id);
    }
  }

  #asking(text: string, calls: readonly Call[]): AIMessage {
    const tool_calls = calls.map(({ id, name, args }) => {
      const kept = storedArguments(args, this.#textCharacters);
      return { id, name, args: own(kept) as Record<string, unknown>, type: "tool_call" as const };
    });
    return new AIMessage({ content: this.#cut(text), tool_calls });
  }

  #result(message: ToolMessage): ToolMessage {
    const { tool_call_id, name, status } = message;
    const content = this.#cut(resultText(message));
    return new ToolMessage({
      ...{ tool_call_id, content },
      ...(name && { name }),
      ...(status && { status }),
    });
  }

  #cut(text: string): string {
    return own(cutText(text, this.#textCharacters));
  }

  get #textCharacters(): number {
    return textCharacters[this.#length] ?? 0;
  }
}

function charactersOf({ asking, results }: Step): number {
  let characters = asking.text.length + JSON.stringify(asking.tool_calls).length;
  for (const { text } of results.values()) characters += text.length;
  return characters;
}

/** A copy: V8 holds all of a text for as long as somebody holds a slice of it. */
function own<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
