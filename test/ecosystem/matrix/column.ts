/** What the columns of the matrix have in common. */
import { expect } from "vitest";
import type { Seen } from "../conversation.ts";
import type { Answer } from "../mocks/provider-protocol.ts";
import type { Row } from "./rows.ts";
import type { Setting } from "./setting.ts";

export interface Column {
  readonly name: string;
  /** Why a row has no such cell. */
  readonly lacks?: (row: Row) => string | undefined;
  readonly check: (setting: Setting) => Promise<void>;
}

export const secret = "SECRET ARGUMENT";
export const callOf = (key: string) => ({ toolCall: "look_up", args: { key } });
export const done: Answer = { steps: ["Do", "ne."] };

/** A run that ended well: what was shown is what the run ended with. */
export function expectAnswer(seen: Seen, text: string): void {
  expect(seen.end).toMatchObject({ status: "completed", text });
  expect(seen.live, "the answer while it is made").toBe(text);
  expectNoArguments(seen);
}

export function expectNoArguments(seen: Seen): void {
  expect(seen.tokens).not.toContain("SECRET");
  expect(seen.end.text).not.toContain("SECRET");
}
