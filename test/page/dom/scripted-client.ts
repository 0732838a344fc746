/** A client whose every answer a test gives, in whichever order, and a component that shows what a hook returned. */
import { type ClientErrorCode, type LangwireClient, LangwireClientError } from "langwire-client";
import { createElement } from "react";

export interface Question {
  /** `get`, `list` … */
  readonly name: string;
  readonly input: unknown;
  answer(value: unknown): void;
  refuse(code: ClientErrorCode, more?: { retryable?: boolean; retryAfterMs?: number }): void;
}

/** Answers are taken in when `settled` has settled. */
export function scriptedClient(): { client: LangwireClient; asked: Question[] } {
  const asked: Question[] = [];
  const procedure = (name: string) => (input?: unknown) => {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const refuse: Question["refuse"] = (code, more) =>
      reject(new LangwireClientError({ code, message: code, ...more }));
    asked.push({ name, input, answer: resolve, refuse });
    return promise;
  };
  const names = ["list", "get", "join", "rename", "delete", "leave"];
  const conversations = Object.fromEntries(names.map((name) => [name, procedure(name)]));
  return { client: { conversations } as never, asked };
}

/** All that has been answered is drawn. */
export const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
};

/** @returns a component that uses the hook, and what the hook returned last */
export function probe<Props extends object, Result>(hook: (props: Props) => Result) {
  const seen: { latest?: Result } = {};
  const Probe = (props: Props) => {
    seen.latest = hook(props);
    return null;
  };
  return {
    with: (props: Props) => createElement(Probe, props),
    get latest(): Result {
      if (seen.latest === undefined) throw new Error("nothing was drawn yet");
      return seen.latest;
    },
  };
}
