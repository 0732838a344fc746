/** The page's words, in its language: `words.send`, `words.theme.dark`, `words.youAre`. */
import type { ClientErrorCode } from "langwire-client";
import { english, type Messages } from "./english.ts";
import { japanese } from "./japanese.ts";
import { japaneseErrors } from "./japanese-errors.ts";
import { type Language, locale } from "./locale.ts";

const tables: Readonly<Record<Language, Messages>> = { en: english, ja: japanese };

/** Errors come with a text in English, which says more than its code does. */
const errorTables: Readonly<Record<Language, Readonly<Record<string, string>> | undefined>> = {
  en: undefined,
  ja: japaneseErrors,
};

export const words = tables[locale.language];

/** An error for users. A code that this page does not know, from a newer server, comes with its own text. */
export function errorText(error: {
  readonly code: ClientErrorCode;
  readonly message: string;
}): string {
  return errorTables[locale.language]?.[error.code] ?? error.message;
}
