/**
 * What keeps a page's main thread busy, by Chromium's own trace: in time of the processor, so that
 * whatever else a machine does is not held against the page.
 */
import type { Page } from "playwright-core";

interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  /** Microseconds of the processor. */
  readonly tdur?: number;
  readonly args: { readonly name?: string };
}

export interface BusyTask {
  /** The last `performance.mark` before it. */
  readonly mark: string;
  readonly ms: number;
}

/** @returns the tasks of the work, the longest first */
export async function busyTasks(page: Page, work: () => Promise<void>): Promise<BusyTask[]> {
  const browser = page.context().browser();
  if (browser === null) throw new Error("The page is in no browser.");
  await browser.startTracing(page, { categories: ["toplevel", "blink.user_timing", "__metadata"] });
  await work();
  const trace: { traceEvents: TraceEvent[] } = JSON.parse((await browser.stopTracing()).toString());
  const events = trace.traceEvents.toSorted((a, b) => a.ts - b.ts);
  const isMain = mainThreadOf(events);
  const tasks: BusyTask[] = [];
  let mark = "";
  for (const event of events) {
    if (event.name.startsWith("mark: ")) mark = event.name;
    if (event.name !== "ThreadControllerImpl::RunTask" || !isMain(event)) continue;
    tasks.push({ mark, ms: (event.tdur ?? 0) / 1_000 });
  }
  return tasks.toSorted((a, b) => b.ms - a.ms);
}

export interface LongTaskOptions {
  readonly maxMs: number;
  /** What people write: on a machine that is busy, or slow, five times what it takes is allowed. */
  readonly ordinary: string;
  /** Does what the marks stand for. */
  readonly tasksOf: (marks: readonly string[]) => Promise<BusyTask[]>;
}

/**
 * Tasks that are long each time that what they are marked with is done: one that is long once may have
 * been the machine's doing.
 * @param marks as in `performance.mark("mark: …")`
 */
export async function longEachTime(
  marks: readonly string[],
  { maxMs, ordinary, tasksOf }: LongTaskOptions,
): Promise<BusyTask[]> {
  let long: BusyTask[] = [];
  for (let [times, left] = [0, marks]; times < 4 && left.length > 0; times++) {
    const tasks = await tasksOf([ordinary, ...left]);
    const ofOrdinary = tasks.filter(({ mark }) => mark === `mark: ${ordinary}`);
    const allowedMs = Math.max(maxMs, 5 * Math.max(...ofOrdinary.map(({ ms }) => ms)));
    long = tasks.filter(({ ms }) => ms > allowedMs);
    const found = new Set(long.map(({ mark }) => mark.slice("mark: ".length)));
    left = found.has("") ? left : left.filter((mark) => found.has(mark));
  }
  return long;
}

/** The renderer that the marks are in: there may be others, of pages that were closed. */
function mainThreadOf(events: readonly TraceEvent[]): (event: TraceEvent) => boolean {
  const marked = events.find(({ name }) => name.startsWith("mark: "));
  if (marked === undefined) throw new Error("Nothing was marked.");
  return ({ pid, tid }) => pid === marked.pid && tid === marked.tid;
}
