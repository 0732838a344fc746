/**
 * Which of the choices in a stream of chunks is the answer's: the candidate that speaks first, since
 * LangChain would glue several together. Servers write its index as a text, or count pieces in it.
 */
import { isObject, type JsonObject, read, textIn } from "../unknown-json.ts";

export class Candidate {
  /** Several were asked for, or have come: then each index is one of them. */
  #areSeveral: boolean;
  #index: number | undefined;
  /** Whether its last choice named a role, as the first one of a candidate does. */
  #namesRole = false;

  constructor(asked: number) {
    this.#areSeveral = asked > 1;
  }

  /** Whether a choice with the index 0 is its. */
  get isFirst(): boolean {
    return this.#index === 0;
  }

  /** Told of a choice of its own that was not looked for: text and nothing else. */
  spoke(): void {
    this.#namesRole = false;
  }

  /** @param isFinished whether the answer has its finish reason: what comes then is another's */
  choiceIn(choices: readonly unknown[], isFinished: boolean): JsonObject | undefined {
    const [first, ...others] = choices.filter(isObject);
    if (first === undefined) return undefined;
    this.#index ??= indexOf(first);
    const own = [first, ...others].find((choice) => indexOf(choice) === this.#index);
    if (own === undefined && (isFinished || !this.#goesOn(first))) {
      this.#areSeveral = true;
      return undefined;
    }
    const found = own ?? first;
    this.#index = indexOf(found);
    this.#namesRole = namesRole(found);
    return found;
  }

  /** Whether a choice of another index is the answer's next piece, and no candidate beside it. */
  #goesOn(choice: JsonObject): boolean {
    return !this.#areSeveral && (this.#namesRole || !namesRole(choice));
  }
}

function indexOf(choice: JsonObject): number {
  const index = Number(choice.index ?? 0);
  return Number.isInteger(index) ? index : 0;
}

const namesRole = (choice: JsonObject): boolean =>
  textIn(read(choice, "delta"), "role") !== undefined;
