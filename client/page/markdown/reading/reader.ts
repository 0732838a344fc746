/** A text that grows, in sections. What is over is the same object each time it is read. */
import { definesLink } from "./lines.ts";
import { defineLink, type Links } from "./parse.ts";
import { nextLine, type Section, writtenOf } from "./sections.ts";

/** So that a long text is not gone through at each of its tokens. */
type Groups = readonly (readonly Section[])[];

export interface Sections {
  readonly groups: Groups;
  readonly links: Links;
}

const groupSize = 32;

/** Blocks of code and tables of one text, which a browser takes long to lay out; others are shown as written. */
const maxFramed = 100;

const isFramed = ({ kind }: Section): boolean => kind === "code" || kind === "table";

export class MarkdownReader {
  #text = "";
  /** Where the line begins that may go on. */
  #lineStart = 0;
  #groups: Groups = [];
  #open: Section | undefined;
  #framed = 0;
  #definesLinks = false;
  #links: Links = {};

  /** @param text as it was read before and more, or another one */
  read(text: string): Sections {
    if (!text.startsWith(this.#text)) this.#beginAgain();
    this.#text = text;
    for (;;) {
      const end = text.indexOf("\n", this.#lineStart);
      if (end === -1) break;
      this.#take(text.slice(this.#lineStart, end));
      this.#lineStart = end + 1;
    }
    const rest = text.slice(this.#lineStart);
    const { over, open } =
      rest === "" ? { over: [], open: this.#open } : nextLine(this.#open, this.#line(rest));
    const last = open === undefined ? over : [...over, open];
    const groups = last.reduce(
      (before, section) => withSection(before, this.#bounded(section)),
      this.#groups,
    );
    return { groups, links: this.#links };
  }

  #beginAgain(): void {
    this.#lineStart = 0;
    this.#groups = [];
    this.#open = undefined;
    this.#framed = 0;
    this.#links = {};
  }

  #line(text: string) {
    return { start: this.#lineStart, text };
  }

  #take(text: string): void {
    const line = this.#line(text.replace(/\r$/, ""));
    this.#definesLinks = definesLink(text) && (this.#open === undefined || this.#definesLinks);
    if (this.#definesLinks) this.#links = defineLink(text, this.#links);
    const { over, open } = nextLine(this.#open, line);
    this.#open = open;
    for (const section of over) this.#keep(section);
  }

  #bounded(section: Section): Section {
    if (!isFramed(section) || this.#framed < maxFramed) return section;
    const { start } = section;
    const text = writtenOf(section);
    return { kind: "written", start, parts: [{ start, text, goesOn: false }] };
  }

  #keep(whole: Section): void {
    const section = this.#bounded(whole);
    if (isFramed(section)) this.#framed += 1;
    this.#groups = withSection(this.#groups, section);
  }
}

/** A section has its place in its group from its first line on, so that it is drawn once. */
function withSection(groups: Groups, section: Section): Groups {
  const last = groups.at(-1);
  if (last === undefined || last.length >= groupSize) return [...groups, [section]];
  return [...groups.slice(0, -1), [...last, section]];
}
