/** Time that a test moves, a browser's page whose events it dispatches, and what happens, line by line. */
import { onTestFinished, vi } from "vitest";

/** Random waits are half of their bound. In the transcript, each line has its millisecond. */
export function scriptedTime() {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(0.5);
  onTestFinished(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
  });
  const startedAtMs = performance.now();
  const transcript: string[] = [];
  const say = (line: string): void => {
    transcript.push(`${Math.round(performance.now() - startedAtMs)} ${line}`.trim());
  };
  return { transcript, say };
}

/** Until the end of the test, which `scriptedTime` sees to. */
export function scriptedPage(): EventTarget {
  const page = new EventTarget();
  vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
  vi.stubGlobal("removeEventListener", page.removeEventListener.bind(page));
  return page;
}
