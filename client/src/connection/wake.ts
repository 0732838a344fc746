/** Notifies when the network came back, or a page that was asleep or in the background. */

/** The parts of a browser's globals that tell; other runtimes have none of them. */
interface Page {
  addEventListener?(type: string, listener: () => void): void;
  removeEventListener?(type: string, listener: () => void): void;
  readonly document?: {
    readonly visibilityState: string;
    addEventListener(type: string, listener: () => void): void;
    removeEventListener(type: string, listener: () => void): void;
  };
}

/** @returns ends the listening */
export function onWake(listener: () => void): () => void {
  const page = globalThis as Page;
  const { document } = page;
  const seen = () => {
    if (document?.visibilityState === "visible") listener();
  };
  for (const type of ["online", "pageshow"]) page.addEventListener?.(type, listener);
  document?.addEventListener("visibilitychange", seen);
  return () => {
    for (const type of ["online", "pageshow"]) page.removeEventListener?.(type, listener);
    document?.removeEventListener("visibilitychange", seen);
  };
}
