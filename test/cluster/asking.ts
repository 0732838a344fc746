/** Callers that ask until they are answered, as everybody may, and what they are told. */
import { setTimeout as delay } from "node:timers/promises";
import { codeOf, type Reading } from "../support/stock-client.ts";

/** Asks until there is an answer, as every caller may. */
export async function answered<T>(ask: (again: boolean) => Promise<T>): Promise<T> {
  for (let again = false; ; again = true) {
    try {
      return await ask(again);
    } catch (cause) {
      if (!retried.has(codeOf(cause))) throw cause;
      await delay(100);
    }
  }
}

const retried: ReadonlySet<string> = new Set(["STORE_UNAVAILABLE", "CONVERSATION_BUSY"]);

/** The end of a run that is sent until it has one. */
export function ended(send: () => Reading) {
  return answered(() => endOf(send()));
}

export async function endOf({ completed }: Reading) {
  const end = (await completed).at(-1)?.event;
  if (end?.type !== "runEnd") throw new Error(`the last event is ${end?.type}`);
  return end;
}

/** @throws when it takes longer */
export async function soon<T>(work: Promise<T> | undefined, ms: number): Promise<T> {
  return await Promise.race([
    work ?? Promise.reject(new Error("there is nothing")),
    delay(ms, undefined, { ref: false }).then(() => Promise.reject(new Error("not in time"))),
  ]);
}
