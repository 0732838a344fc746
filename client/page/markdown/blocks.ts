/**
 * Cuts Markdown into blocks that can be drawn one by one, so that a growing text is parsed again only
 * at its end. A cut is made at a blank line, where the next line begins something of its own.
 */

const fence = /^\s*(?:[-*+]\s+|\d+[.)]\s+|>\s*)*(`{3,}|~{3,})/;
const listItem = /^(?:[-*+]|\d{1,9}[.)])(?:\s|$)/;
const indented = /^(?: {2,}|\t)/;
/** A text that defines links or footnotes is not cut: they are used in other blocks than their own. */
const definition = /^ {0,3}\[[^\]\n]+\]:/m;

export interface MarkdownBlock {
  /** Where it begins in the whole text: the same for as long as the text only grows. */
  readonly start: number;
  readonly text: string;
}

export function markdownBlocks(text: string): readonly MarkdownBlock[] {
  if (definition.test(text)) return [{ start: 0, text }];
  const blocks: MarkdownBlock[] = [];
  let start = 0;
  let block: string[] = [];
  let openFence: string | undefined;
  let afterBlank = false;
  for (const line of text.split("\n")) {
    if (openFence === undefined && afterBlank && beginsBlock(line, block)) {
      const cut = block.join("\n");
      blocks.push({ start, text: cut });
      start += cut.length + 1;
      block = [];
    }
    block.push(line);
    openFence = fenceAfter(line, openFence);
    afterBlank = line.trim() === "";
  }
  if (block.length > 0) blocks.push({ start, text: block.join("\n") });
  return blocks;
}

/** Whether the line, after a blank one, is no part of the block before it. */
function beginsBlock(line: string, block: readonly string[]): boolean {
  const first = block.find((earlier) => earlier.trim() !== "");
  if (first === undefined || line.trim() === "" || indented.test(line)) return false;
  return !(listItem.test(first.trimStart()) && listItem.test(line.trimStart()));
}

/** The fence that is open after the line. */
function fenceAfter(line: string, open: string | undefined): string | undefined {
  const mark = fence.exec(line)?.[1];
  if (open === undefined) return mark;
  const closes = line.trim() === mark && mark.startsWith(open);
  return closes ? undefined : open;
}
