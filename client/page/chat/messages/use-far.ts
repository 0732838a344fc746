/**
 * Whether a group of messages is so far out of sight that its words alone are enough: the browser's own
 * judgement, by which it lays out what has `content-visibility: auto`. What has the focus, a selection or
 * a word that was searched for is never far.
 */
import { type RefObject, useEffect, useLayoutEffect, useState } from "react";
import { useIsPrinting } from "../../browser/printing.ts";

/**
 * Without `overflow-anchor`, what is read would move when something above it is drawn; without the event,
 * nothing would say that a group is near again.
 */
const canTell =
  "ContentVisibilityAutoStateChangeEvent" in globalThis && CSS.supports("overflow-anchor", "auto");

/** @param isFarAtFirst of a group that is added out of sight */
export function useFar(group: RefObject<HTMLElement | null>, isFarAtFirst: boolean): boolean {
  const [isSkipped, setSkipped] = useState(isFarAtFirst);
  /** What somebody has opened in it would be closed again. */
  const [isUsed, setUsed] = useState(false);
  const isPrinting = useIsPrinting();
  // Before the first frame, which may bring the first event.
  useLayoutEffect(() => {
    const element = group.current;
    if (element === null || !canTell) return;
    const onStateChange = (event: Event) => {
      if (event.target !== element) return;
      setSkipped((event as ContentVisibilityAutoStateChangeEvent).skipped);
    };
    element.addEventListener("contentvisibilityautostatechange", onStateChange);
    return () => element.removeEventListener("contentvisibilityautostatechange", onStateChange);
  }, [group]);
  useEffect(() => {
    const element = group.current;
    const onClick = () => setUsed(true);
    element?.addEventListener("click", onClick);
    return () => element?.removeEventListener("click", onClick);
  }, [group]);
  return canTell && isSkipped && !isUsed && !isPrinting;
}
