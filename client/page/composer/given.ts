/** What is in the field becomes what is sent: a message as it is, a typed bot's input out of its JSON. */
import type { BotInfo, Json } from "langwire-client";
import { skeletonOf } from "./skeleton.ts";

/** What a bot is given. */
export type GivenKind = "message" | "input";

/** `nothing`: there is nothing to be sent. */
export type Given = { readonly value: Json } | "nothing" | "notJson";

/** Servers before the ones that say so take messages. */
export function givenKind({ accepts }: BotInfo): GivenKind {
  return accepts?.message === false && accepts.input ? "input" : "message";
}

export function readGiven(kind: GivenKind, text: string): Given {
  const trimmed = text.trim();
  if (trimmed === "") return "nothing";
  if (kind === "message") return { value: trimmed };
  try {
    return { value: JSON.parse(trimmed) as Json };
  } catch {
    return "notJson";
  }
}

/** What is in the field before anybody has written. */
export function blankFor(bot: BotInfo): string {
  if (givenKind(bot) === "message") return "";
  return JSON.stringify(skeletonOf(bot.schemas.input), null, 2);
}
