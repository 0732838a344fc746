import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import { useReachable } from "../../browser/use-reachable.ts";

/** How far from its end a list still counts as being there. */
const nearPx = 40;

interface StickToEnd {
  readonly scroller: RefObject<HTMLElement | null>;
  readonly content: RefObject<HTMLDivElement | null>;
  readonly isAtEnd: boolean;
  toEnd(): void;
}

/**
 * Keeps the end of a growing list in view, until its reader scrolls away from it.
 * @param pull a new value brings the end into view wherever the reader is
 */
export function useStickToEnd(pull: string | undefined): StickToEnd {
  const scroller = useRef<HTMLElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const sticks = useRef(true);
  const [isAtEnd, setAtEnd] = useState(true);

  useReachable(scroller);

  const toEnd = useCallback(() => {
    sticks.current = true;
    setAtEnd(true);
    const element = scroller.current;
    if (element !== null) element.scrollTop = element.scrollHeight;
  }, []);

  useEffect(() => {
    const element = scroller.current;
    if (element === null || content.current === null) return;
    let lastTop = element.scrollTop;
    const onScroll = () => {
      const { scrollTop, scrollHeight, clientHeight } = element;
      const isNear = scrollHeight - scrollTop - clientHeight < nearPx;
      // Growing moves the end away without the reader's doing; only scrolling up lets go of it.
      if (isNear) sticks.current = true;
      else if (scrollTop < lastTop) sticks.current = false;
      lastTop = scrollTop;
      setAtEnd(isNear || sticks.current);
    };
    const grown = new ResizeObserver(() => {
      if (sticks.current) element.scrollTop = element.scrollHeight;
    });
    element.addEventListener("scroll", onScroll, { passive: true });
    grown.observe(content.current);
    grown.observe(element);
    return () => {
      element.removeEventListener("scroll", onScroll);
      grown.disconnect();
    };
  }, []);

  useLayoutEffect(() => {
    if (pull !== undefined) toEnd();
  }, [pull, toEnd]);

  return { scroller, content, isAtEnd, toEnd };
}
