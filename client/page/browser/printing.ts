/** Whether the page is being printed. On paper there is everything, and the browser waits for no later frame. */
import { useSyncExternalStore } from "react";
import { flushSync } from "react-dom";

let printing = false;
const listeners = new Set<() => void>();

export function isPrinting(): boolean {
  return printing;
}

/** What a listener sets is drawn before the browser goes on. */
export function onPrinting(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useIsPrinting(): boolean {
  return useSyncExternalStore(onPrinting, isPrinting);
}

function change(value: boolean): void {
  printing = value;
  flushSync(() => {
    for (const listener of [...listeners]) listener();
  });
}

window.addEventListener("beforeprint", () => change(true));
window.addEventListener("afterprint", () => change(false));
