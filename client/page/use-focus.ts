import { type RefObject, useEffect, useRef } from "react";

/** For a field that is there because somebody wants to write into it now. */
export function useFocus<T extends HTMLElement>(): RefObject<T | null> {
  const ref = useRef<T>(null);
  useEffect(() => ref.current?.focus(), []);
  return ref;
}
