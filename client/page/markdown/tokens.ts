/** markdown-it's tokens as elements. Without recursion: how deep they go is the parser's to bound. */
import type { Token } from "markdown-it";
import { createElement, Fragment, type ReactNode } from "react";
import { CodeBlock } from "./code-block.tsx";
import { OutLink } from "./out-link.tsx";
import { Table } from "./table.tsx";

interface Open {
  /** Undefined for what is around them all. */
  readonly token: Token | undefined;
  readonly children: ReactNode[];
  isTask: boolean;
}

/**
 * The elements keep their places while a text grows, so that they are the same ones. What has a mark at
 * its side is as a whole of the direction of its first letter; words are, line by line, by the styles.
 */
export function elementsOf(tokens: readonly Token[]): ReactNode {
  const root: Open = { token: undefined, children: [], isTask: false };
  const open = [root];
  for (const token of tokens) {
    const current = open.at(-1) ?? root;
    if (token.nesting === 1) {
      open.push({ token, children: [], isTask: false });
    } else if (token.nesting === -1) {
      open.pop();
      open.at(-1)?.children.push(elementOf(current));
    } else if (token.type === "inline") {
      const item = open.at(-2);
      const isFirst = item?.token?.type === "list_item_open" && item.children.length === 0;
      const mark = isFirst ? takeTaskMark(token) : undefined;
      if (isFirst) item.isTask = mark !== undefined;
      if (mark !== undefined) current.children.push(checkbox(mark));
      current.children.push(elementsOf(token.children ?? []));
    } else {
      current.children.push(leafOf(token));
    }
  }
  return createElement(Fragment, null, ...root.children);
}

function elementOf({ token, children, isTask }: Open): ReactNode {
  if (token === undefined) return null;
  const { type, tag } = token;
  switch (type) {
    case "link_open":
      return createElement(OutLink, { href: String(token.attrGet("href")) }, ...children);
    case "table_open":
      return createElement(Table, null, ...children);
    case "paragraph_open":
      // In a list without blank lines.
      return createElement(token.hidden ? Fragment : "p", null, ...children);
    case "ordered_list_open": {
      const start = Number(token.attrGet("start") ?? 1);
      return createElement("ol", { dir: "auto", start }, ...children);
    }
    case "bullet_list_open":
    case "blockquote_open":
      return createElement(tag, { dir: "auto" }, ...children);
    case "list_item_open":
      return createElement("li", isTask ? { className: "task" } : null, ...children);
    case "th_open":
    case "td_open":
      return createElement(tag, { style: alignmentOf(token) }, ...children);
    default:
      return createElement(tag, null, ...children);
  }
}

function leafOf(token: Token): ReactNode {
  const { type, content } = token;
  switch (type) {
    // A model that writes addresses, verses or short lines means its lines, as people in a chat do.
    case "softbreak":
    case "hardbreak":
      return createElement("br");
    case "hr":
      return createElement("hr");
    case "code_inline":
      return createElement("code", { dir: "ltr" }, content);
    case "footnote":
      return createElement("sup", null, content);
    case "fence":
    case "code_block":
      return createElement(CodeBlock, { info: token.info, parts: [content.replace(/\n$/, "")] });
    case "image":
      // It is not loaded: a model that was made to write its address could send the conversation there.
      return createElement(OutLink, { href: String(token.attrGet("src")) }, content || "Image");
    default:
      return content;
  }
}

const taskMark = /^\[([ xX])\](?=\s)/;

/** Takes `[x]` from the words of an item that is a task. */
function takeTaskMark({ children }: Token): string | undefined {
  const first = children?.[0];
  const [mark = "", sign] = taskMark.exec(first?.content ?? "") ?? [];
  if (first?.type !== "text" || sign === undefined) return undefined;
  first.content = first.content.slice(mark.length);
  return sign;
}

function checkbox(sign: string): ReactNode {
  const isDone = sign !== " ";
  const label = isDone ? "Done" : "To do";
  return createElement("input", {
    type: "checkbox",
    checked: isDone,
    disabled: true,
    "aria-label": label,
  });
}

function alignmentOf(token: Token): { textAlign: "left" | "center" | "right" } | undefined {
  const [, side] = /text-align:(left|center|right)/.exec(String(token.attrGet("style"))) ?? [];
  return side === "left" || side === "center" || side === "right" ? { textAlign: side } : undefined;
}
