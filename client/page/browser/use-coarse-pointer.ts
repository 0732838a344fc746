import { useSyncExternalStore } from "react";

const query = window.matchMedia("(pointer: coarse)");

/** Whether the page is used with fingers, and so with a keyboard that has no Shift + Enter. */
export function useCoarsePointer(): boolean {
  return useSyncExternalStore(subscribe, () => query.matches);
}

function subscribe(listener: () => void): () => void {
  query.addEventListener("change", listener);
  return () => query.removeEventListener("change", listener);
}
