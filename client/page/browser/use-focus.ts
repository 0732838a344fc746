import { type RefObject, useEffect, useRef } from "react";

/** For a field that is there because somebody wants to write into it now, and not into another one. */
export function useFocus<T extends HTMLElement>(): RefObject<T | null> {
  const ref = useRef<T>(null);
  useEffect(() => {
    if (!document.activeElement?.matches("input, textarea")) ref.current?.focus();
  }, []);
  return ref;
}
