import type { KeyboardEvent } from "react";

/** What Safari says instead of `isComposing` for the Enter that ends a composition. */
const composingKeyCode = 229;

/** Whether a key belongs to an input method, which is choosing characters, and not to the page. */
export function isComposing({ nativeEvent }: KeyboardEvent): boolean {
  return nativeEvent.isComposing || nativeEvent.keyCode === composingKeyCode;
}
