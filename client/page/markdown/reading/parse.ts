/**
 * Markdown to tokens, in time that grows with the text and to a bounded depth: markdown-it is made for
 * texts of strangers. Raw HTML stays text.
 */
import MarkdownIt, { type Token } from "markdown-it";
import { footnotes } from "./footnotes.ts";

/** Quotes and lists inside each other; a list counts twice, once for its items. */
const maxDepth = 24;
/** What is longer in one piece is shown as it is written. */
const maxLength = 16_000;
const maxTokens = 5_000;

/** What defines the links of a text that are named elsewhere in it. */
export type Links = Readonly<Record<string, { readonly href: string; readonly title: string }>>;

const markdown = new MarkdownIt({ linkify: true, maxNesting: maxDepth }).use(footnotes);
// What looks like a host may be a file's name: README.md.
markdown.linkify.set({ fuzzyLink: false, fuzzyEmail: false });
markdown.validateLink = (address) =>
  !/^[^/?#]*:/.test(address) || /^(?:https?|mailto|tel):/i.test(address);

/** @returns undefined for what is too deep or too much to be drawn */
export function parseBlocks(text: string, links: Links): readonly Token[] | undefined {
  if (text.length > maxLength) return undefined;
  return bounded(markdown.parse(text, { references: { ...links } }));
}

/** @returns what stands in one line of words */
export function parseWords(text: string, links: Links): readonly Token[] | undefined {
  return bounded(markdown.parseInline(text, { references: { ...links } }));
}

function bounded(tokens: readonly Token[]): readonly Token[] | undefined {
  // What is deeper than the bound is not parsed, and would be missing.
  const isTooDeep = tokens.some(({ nesting, level }) => nesting === 1 && level >= maxDepth - 1);
  const count = tokens.reduce((sum, { children }) => sum + 1 + (children?.length ?? 0), 0);
  return isTooDeep || count > maxTokens ? undefined : tokens;
}

/** @returns the links with the one that the line defines */
export function defineLink(line: string, links: Links): Links {
  const references = { ...links };
  markdown.parse(line, { references });
  return references;
}

const label = /\[([^[\]]{1,200})\]/g;

/** @returns the links that the text uses, each with what it is by now */
export function linksIn(text: string, links: Links): string {
  const used: string[] = [];
  for (const name of Object.keys(links).length === 0 ? [] : text.matchAll(label)) {
    const key = markdown.utils.normalizeReference(name[1] ?? "");
    if (links[key] !== undefined) used.push(key);
  }
  return used.join("\n");
}
