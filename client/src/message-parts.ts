/** The parts of messages that say none: what is on its way, and what servers keep that know no parts. */
import type { Json, Message, Part } from "./types.ts";

export function partsOfMessage({ parts, text }: Pick<Message, "parts" | "text">): readonly Part[] {
  return parts ?? textParts(text);
}

export function textParts(text: string): readonly Part[] {
  return text === "" ? [] : [{ type: "text", text, final: true }];
}

/** What a person wrote, or gave a typed bot. */
export function givenParts(given: {
  readonly message: string;
  readonly input?: Json | undefined;
}): readonly Part[] {
  const { message, input } = given;
  if (input === undefined) return textParts(message);
  return [{ type: "data", name: "input", value: input, origin: "input" }];
}
