/** `[^1]` and, where a line begins with it, `[^1]:`, as small raised numbers. */
import type { MarkdownIt } from "markdown-it";

const mark = /\[\^([^\s[\]]{1,50})\](:?)/y;

export function footnotes(markdown: MarkdownIt): void {
  markdown.inline.ruler.before("link", "footnote", (state, silent) => {
    mark.lastIndex = state.pos;
    const [whole, name, colon] = mark.exec(state.src) ?? [];
    if (whole === undefined || name === undefined) return false;
    const isDefinition =
      colon === ":" && (state.pos === 0 || state.src.charAt(state.pos - 1) === "\n");
    if (!silent) {
      state.push("footnote", "sup", 0).content = name;
    }
    state.pos += isDefinition ? whole.length : whole.length - (colon?.length ?? 0);
    return true;
  });
  // Its text is a paragraph, and no link's address.
  markdown.block.ruler.before("reference", "footnote", (state, startLine, endLine, silent) => {
    if (state.sCount[startLine] === undefined || state.sCount[startLine] - state.blkIndent >= 4)
      return false;
    mark.lastIndex = (state.bMarks[startLine] ?? 0) + (state.tShift[startLine] ?? 0);
    if (mark.exec(state.src)?.[2] !== ":") return false;
    if (silent) return true;
    let line = startLine + 1;
    while (line < endLine && !state.isEmpty(line)) line += 1;
    state.push("paragraph_open", "p", 1);
    const words = state.push("inline", "", 0);
    words.content = state.getLines(startLine, line, state.blkIndent, false).trim();
    words.children = [];
    state.push("paragraph_close", "p", -1);
    state.line = line;
    return true;
  });
}
