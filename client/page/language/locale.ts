/** In which language the page speaks, and whose way of writing numbers and times it follows. */

export type Language = "en" | "ja";

interface Locale {
  readonly language: Language;
  /** A BCP 47 tag of that language, for `Intl`. */
  readonly tag: string;
}

/** @param wanted BCP 47 tags, the best first, as `navigator.languages` has them */
export function localeFor(wanted: readonly string[]): Locale {
  for (const tag of wanted) {
    const [language] = tag.toLowerCase().split("-", 1);
    if (language === "en" || language === "ja") return { language, tag };
  }
  return { language: "en", tag: "en" };
}

export const locale = localeFor(navigator.languages);
