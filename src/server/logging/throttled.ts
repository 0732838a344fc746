/** What is logged once in a while, however often it happens: a fault that every request brings to light. */

interface Window {
  readonly endsMs: number;
  /** How often it happened since it was logged. */
  unsaid: number;
}

const everyMs = 60_000;
/** Kinds that are told apart: what varies from request to request would fill the memory. */
const kindsAtMost = 100;

/**
 * @param say logs it
 * @returns logs the first of a kind at once, and then one a minute, with how many were `unsaid` before it
 */
export function throttled<Args extends readonly unknown[]>(
  say: (seen: { readonly unsaid?: number }, ...args: Args) => void,
): (kind: string, ...args: Args) => void {
  const windows = new Map<string, Window>();
  return (kind, ...args) => {
    const known = windows.get(kind);
    const nowMs = performance.now();
    if (known !== undefined && nowMs < known.endsMs) {
      known.unsaid += 1;
      return;
    }
    windows.delete(kind);
    const [oldest] = windows.keys();
    if (oldest !== undefined && windows.size >= kindsAtMost) windows.delete(oldest);
    windows.set(kind, { endsMs: nowMs + everyMs, unsaid: 0 });
    say(known === undefined || known.unsaid === 0 ? {} : { unsaid: known.unsaid }, ...args);
  };
}
