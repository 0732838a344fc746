/**
 * A body that a server sends instead of events: a whole answer in JSON, JSON by lines, an error, a
 * page. It comes in any number of pieces; what it is may be known only at its end.
 */
import { parsed } from "../unknown-json.ts";
import { BrokenAnswer } from "./broken-answer.ts";

/** Whole answers are text; beyond this it is something else. */
const bodyAtMostBytes = 16 * 1024 * 1024;

/** A line that a stream of events may have and that says nothing: blank, a comment, an id, a retry. */
const isQuiet = (line: string): boolean => /^\uFEFF?\s*(:|(id|retry)\b|$)/.test(line);

export class UnframedBody {
  #text = "";

  /** @returns what came by now, if it is whole JSON */
  read(bytes: Buffer): unknown {
    const text = bytes.toString();
    if (this.#text === "" && text.split(/[\r\n]/).every(isQuiet)) return undefined;
    this.#text += text;
    if (this.#text.length > bodyAtMostBytes) {
      throw new BrokenAnswer("The provider's answer is not a stream of events, and endless.", {
        said: this.#text,
      });
    }
    // llama-server's errors stood in a field of their own before they stood in `data`.
    const whole = this.#text.trim().replace(/^error:\s*/, "");
    const value = /[}\]]$/.test(whole) ? parsed(whole) : undefined;
    if (value === undefined) return undefined;
    const isError = this.#text.trimStart().startsWith("error:");
    this.#text = "";
    return isError ? { error: value } : value;
  }

  /**
   * At the end: values by lines.
   * @param mayBeGarbage behind a finished answer it says nothing
   * @throws BrokenAnswer for a page or any other words
   */
  rest(mayBeGarbage: boolean): unknown[] {
    const text = this.#text.trim();
    this.#text = "";
    if (text === "" || mayBeGarbage) return [];
    const lines = text.split(/[\r\n]+/).filter((line) => line.trim() !== "");
    const values = lines.map((line) => (line.trim() === "[DONE]" ? "[DONE]" : parsed(line)));
    if (!values.includes(undefined)) return values;
    const what = /^</.test(text) ? "a page" : "something else";
    throw new BrokenAnswer(`The provider sent ${what} in place of an answer.`, { said: text });
  }
}
