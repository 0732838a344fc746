/**
 * Texts that a model may be talked into, made by kinds and not from a list: anything repeated, nested,
 * opened and never closed, in any script.
 */
import { Seeded } from "../cluster/chaos/seeded.ts";

/** What opens something in Markdown, HTML or mathematics, or might. */
const openers = [
  ...">|#-*+_~`<&[(!\\=:$@^{\t ",
  ...[
    "> ",
    "- ",
    "1. ",
    "[ ] ",
    "- [x] ",
    "![",
    "[a](",
    "[a][",
    "[a]: ",
    "[^a]",
    "[^a]: ",
    "**",
    "__",
  ],
  ...[
    "~~",
    "***",
    "``",
    "```",
    "```\n",
    "~~~ ",
    "    ",
    "<a ",
    "<a href='",
    "<div>",
    "</",
    "<!--",
    "<?",
  ],
  ...[
    "<![CDATA[",
    "<http://",
    "http://",
    "https://a.b/(",
    "www.",
    "a@b.",
    "&#x",
    "&amp",
    "\\(",
    "\\[",
    "$$",
  ],
  ...[
    "| a ",
    "|-",
    "---\n",
    "===\n",
    "a\n=\n",
    "a|b\n-|-\n",
    "# ",
    "* * ",
    "\n",
    "\n\n",
    "  \n",
    "\r\n",
    "\0",
  ],
] as const;

const closers = [
  "",
  "a",
  "]",
  "](x)",
  ")",
  "**",
  "*_",
  "`",
  "```",
  "-->",
  ">",
  "</a>",
  "|",
  "\n",
  "~~",
  "'",
];

/** Marks, joiners, directions, selectors, what is not seen, what is half a character. */
const odd = [
  ..."\u0301\u0488\u200B\u200C\u200D\u200E\u202E\u2066\u2069\u2028\uFE0F\uFEFF\uFFFD\u00AD\u3164\u034F\u1160",
  ...[
    "\uD800",
    "\uDC00",
    "\u{E0061}",
    "\u{1F468}\u200D\u{1F469}\u200D",
    "ﷺ",
    "𒐫",
    "꧅",
    "ဪ",
    "\u{1D173}",
  ],
];

type Kind = (random: Seeded, size: number) => string;

const repeat = (unit: string, size: number): string =>
  unit.repeat(Math.max(1, Math.floor(size / unit.length)));

const kinds: Readonly<Record<string, Kind>> = {
  deep: (random, size) => `${repeat(random.pick(openers), size)} a`,
  "deep, of two": (random, size) => repeat(random.pick(openers) + random.pick(openers), size),
  closed: (random, size) => {
    const count = Math.floor(size / 4);
    return `${repeat(random.pick(openers), count)}a${repeat(random.pick(closers) || "b", count)}`;
  },
  unclosed: (random, size) => repeat(`${random.pick(openers)}word ${random.pick(closers)}`, size),
  "line by line deeper": (random, size) => {
    const opener = random.pick(openers);
    const lines = Math.floor(Math.sqrt((2 * size) / opener.length));
    return Array.from({ length: lines }, (_, depth) => `${opener.repeat(depth)}a`).join("\n");
  },
  "one long line": (random, size) =>
    random.pick(openers) + repeat(random.pick(["x", "炭", "ก", "x ", "👍"]), size),
  lines: (random, size) => repeat(`${random.pick(openers)}a\n`, size),
  odd: (random, size) =>
    repeat(`${random.pick(["a", "א", "ع", "क", ""])}${random.pick(odd)}`, size),
  "all at once": (random, size) => {
    let text = "";
    while (text.length < size) {
      const unit = random.pick([...openers, ...closers, ...odd]);
      text += unit.repeat(random.below(4) === 0 ? random.below(300) : 1 + random.below(3));
    }
    return text;
  },
  "every script": (random, size) => {
    // The planes in which there is something.
    const plane = random.pick([0, 0, 0, 1, 1, 2, 3, 14, 15, 16]);
    const from = plane * 0x10000 + random.below(0x10000);
    const count = Math.min(2_000, size);
    return String.fromCodePoint(
      ...Array.from({ length: count }, (_, at) => Math.min(from + at, 0x10ffff)),
    );
  },
};

export interface HostileText {
  readonly kind: string;
  readonly text: string;
}

/** Of each kind as many as of the others, up to 20,000 characters long. */
export function hostileTexts(count: number, seed: number): readonly HostileText[] {
  const random = new Seeded(seed);
  const all = Object.entries(kinds);
  return Array.from({ length: count }, (_, index) => {
    const [kind, make] = all[index % all.length] ?? [];
    if (kind === undefined || make === undefined) throw new Error("There are no kinds.");
    return { kind, text: make(random, random.pick([300, 3_000, 8_000, 20_000])).trim() || "." };
  });
}
