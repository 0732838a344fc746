/** What the processes of the bench tell each other. */
export interface Load {
  readonly url: string;
  readonly conversations: number;
  readonly eventsPerSecond: number;
  readonly seconds: number;
}

export interface WriterReport {
  readonly events: number;
  readonly cpuSeconds: number;
}

export interface ReaderReport {
  readonly events: number;
  readonly cpuSeconds: number;
  readonly medianMs: number;
  readonly p99Ms: number;
}

/** The same in both processes, so that nobody has to tell the ids. */
export function conversationId(index: number): string {
  return `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`;
}

/** Milliseconds that count the same in every process of the machine, finer than `Date.now()`. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}
