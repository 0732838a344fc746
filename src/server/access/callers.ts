/** Identifies callers. Without authentication, a caller is the user that it names. */
import { LangwireError } from "../../protocol/errors.ts";
import { protocolLimits } from "../../protocol/limits.ts";
import type { Caller } from "../../runs/caller.ts";

/** What a caller is authenticated by: connectionParams over WebSocket, headers over HTTP. */
export interface Credentials {
  readonly connectionParams: Readonly<Record<string, unknown>> | null;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** An authenticated caller, for as long as its token or its session is valid. */
export interface Identity extends Caller {
  /** As the page at `/` shows it. */
  readonly name?: string;
  /** When the connection has to end, in milliseconds since 1970. Absent: never. */
  readonly expiresAtMs?: number;
}

const defaultUserId = "local";
/** The header that names the caller over HTTP while no authentication is configured. */
const userIdHeader = "x-user-id";

/** Control characters, ends of lines and what is not seen: two names that look the same are one. */
const unseen = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

/** Scripts whose letters stand side by side: a joiner between them changes nothing that is seen. */
const unjoined = ["Latin", "Greek", "Cyrillic", "Armenian", "Han", "Hira", "Kana", "Hangul"];
const joinedLetter = String.raw`[[\p{L}\p{M}]--[\p{sc=Zyyy}\p{sc=Zinh}${unjoined.map((script) => String.raw`\p{scx=${script}}`).join("")}]]`;
/**
 * What is not seen, but is how names of Persian, Sinhala or Malayalam, families of emoji and flags are
 * written, in the places where it does that.
 */
const joining = new RegExp(
  [
    String.raw`(?<=${joinedLetter})[\u200C\u200D]`,
    String.raw`(?<=\p{sc=Mongolian})\u180E`,
    String.raw`(?<=[\p{Extended_Pictographic}\p{Emoji_Modifier}]\uFE0F?)\u200D`,
    String.raw`(?<=\u{1F3F4})[\u{E0020}-\u{E007E}]+\u{E007F}`,
  ].join("|"),
  "gv",
);

/** What is wrong with a user's id, of which nothing is repeated: it may be somebody's name. */
export function faultOfUserId(value: unknown): string | undefined {
  if (typeof value !== "string")
    return `that is ${value === null ? null : typeof value}, and no string`;
  if (value === "") return "that is empty";
  const { idLength } = protocolLimits;
  if (value.length > idLength) return `longer than ${idLength} characters`;
  const isSeen = !unseen.test(value.replaceAll(joining, ""));
  return isSeen ? undefined : "with characters that are not seen, such as line ends";
}

/** @throws LangwireError UNAUTHORIZED */
export function readUserId(value: unknown): string {
  if (typeof value === "string" && faultOfUserId(value) === undefined) return value;
  throw new LangwireError("UNAUTHORIZED", { message: "That is not a user's id." });
}

export function trustCallers({ connectionParams, headers }: Credentials): Identity {
  return { userId: readUserId(connectionParams?.userId ?? headers[userIdHeader] ?? defaultUserId) };
}
