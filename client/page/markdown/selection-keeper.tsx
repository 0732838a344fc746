import { Component, createRef, type ReactNode } from "react";

interface SelectionKeeperProps {
  readonly text: string;
  readonly isGrowing: boolean;
  readonly children: ReactNode;
}

/** Where an end of a selection is. */
interface Place {
  readonly node: Node;
  readonly offset: number;
}

/** The same, for when its node is not there any more: characters from the beginning of the text. */
interface KeptPlace extends Place {
  readonly length: number;
}

interface Ends {
  readonly anchor: KeptPlace | undefined;
  readonly focus: KeptPlace | undefined;
}

/** A text that somebody has selected stays selected while it grows: drawing its end anew lets go of it. */
export class SelectionKeeper extends Component<SelectionKeeperProps> {
  readonly #root = createRef<HTMLDivElement>();

  override getSnapshotBeforeUpdate(before: SelectionKeeperProps): Ends | null {
    const selection = document.getSelection();
    const root = this.#root.current;
    if (
      before.text === this.props.text ||
      selection === null ||
      selection.isCollapsed ||
      root === null
    )
      return null;
    const anchor = placeIn(root, selection.anchorNode, selection.anchorOffset);
    const focus = placeIn(root, selection.focusNode, selection.focusOffset);
    return anchor === undefined && focus === undefined ? null : { anchor, focus };
  }

  override componentDidUpdate(_before: unknown, _state: unknown, ends: Ends | null): void {
    const selection = document.getSelection();
    const root = this.#root.current;
    if (ends === null || selection === null || root === null) return;
    const { anchorNode, anchorOffset, focusNode, focusOffset } = selection;
    const anchor = ends.anchor ? placeNow(root, ends.anchor) : at(anchorNode, anchorOffset);
    const focus = ends.focus ? placeNow(root, ends.focus) : at(focusNode, focusOffset);
    if (anchor === undefined || focus === undefined) return;
    const isKept =
      anchor.node === anchorNode &&
      anchor.offset === anchorOffset &&
      focus.node === focusNode &&
      focus.offset === focusOffset;
    if (!isKept) {
      selection.setBaseAndExtent(anchor.node, anchor.offset, focus.node, focus.offset);
    }
  }

  override render(): ReactNode {
    const { isGrowing, children } = this.props;
    return (
      <div className="markdown" data-streaming={isGrowing} ref={this.#root}>
        {children}
      </div>
    );
  }
}

function at(node: Node | null, offset: number): Place | undefined {
  return node === null ? undefined : { node, offset };
}

/** @returns undefined for what is not in the text */
function placeIn(root: Node, node: Node | null, offset: number): KeptPlace | undefined {
  if (node === null || !root.contains(node)) return undefined;
  const range = document.createRange();
  range.setStart(root, 0);
  range.setEnd(node, offset);
  return { node, offset, length: range.toString().length };
}

function placeNow(root: Node, { node, offset, length }: KeptPlace): Place | undefined {
  const size = node.nodeValue?.length ?? node.childNodes.length;
  if (root.contains(node) && offset <= size) return { node, offset };
  const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  let left = length;
  for (let text = texts.nextNode(); text !== null; text = texts.nextNode()) {
    const size = text.nodeValue?.length ?? 0;
    if (left <= size) return { node: text, offset: left };
    left -= size;
  }
  return undefined;
}
