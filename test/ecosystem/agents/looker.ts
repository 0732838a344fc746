/** The agent that the tests of langchain's middlewares have in common. */
import { tool } from "@langchain/core/tools";
import { expect } from "vitest";
import { z } from "zod";
import { scriptedModel } from "../../../src/testing/index.ts";
import type { Seen } from "../conversation.ts";

export const lookUp = tool(({ key }: { key: string }) => `row ${key}`, {
  name: "look_up",
  description: "Looks a key up",
  schema: z.object({ key: z.string() }),
});
export const callOf = (key: string) => ({ id: `call-${key}`, name: "look_up", args: { key } });
/** A model that calls a tool for ever. */
export const loop = () =>
  scriptedModel((_messages, call) => ({ tokens: ["Again. "], toolCalls: [callOf(`${call}`)] }));
export const onceThenDone = () =>
  scriptedModel((messages) =>
    messages.at(-1)?.type === "tool"
      ? { tokens: ["Do", "ne."] }
      : { tokens: ["Let me look. "], toolCalls: [callOf("a")] },
  );

export function expectAnswer(seen: Seen, text: string): void {
  expect(seen.end).toMatchObject({ status: "completed", text });
  expect(seen.live).toBe(text);
}
