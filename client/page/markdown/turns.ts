/**
 * How much is drawn in a frame. A conversation that is opened draws what it has over as many frames as
 * it needs, its end first, so that no text, however long, holds the page up.
 */
import { useEffect, useState } from "react";
import { isPrinting, onPrinting } from "../browser/printing.ts";

interface Waiting {
  readonly cost: number;
  readonly begin: () => void;
}

/** Characters of a frame. */
const perFrame = 4_000;
/** A window in the background draws no frames. */
const maxWaitMs = 200;

let spent = 0;
let isScheduled = false;
let waiting: Waiting[] = [];

/**
 * @param cost in characters, or what takes as long; nothing for 0
 * @returns whether it may be drawn now; it is drawn again when it may
 */
export function useTurn(cost: number): boolean {
  const [isDue, setDue] = useState(() => take(cost));
  useEffect(() => {
    if (isDue) return;
    const mine = { cost, begin: () => setDue(true) };
    waiting.push(mine);
    schedule();
    return () => {
      waiting = waiting.filter((one) => one !== mine);
    };
  }, [isDue, cost]);
  return isDue;
}

function take(cost: number): boolean {
  if (cost === 0 || isPrinting()) return true;
  if (spent > 0 && spent + cost > perFrame) return false;
  spent += cost;
  schedule();
  return true;
}

function schedule(): void {
  if (isScheduled) return;
  isScheduled = true;
  const timer = setTimeout(next, maxWaitMs);
  const frame = requestAnimationFrame(next);
  function next(): void {
    clearTimeout(timer);
    cancelAnimationFrame(frame);
    isScheduled = false;
    spent = 0;
    for (let last = waiting.at(-1); last !== undefined && take(last.cost); last = waiting.at(-1)) {
      waiting.pop();
      last.begin();
    }
  }
}

// What is drawn for paper alone waits for nothing, either.
onPrinting(() => {
  if (!isPrinting()) return;
  const all = waiting;
  waiting = [];
  for (const { begin } of all) begin();
});
