/**
 * One judge for every fault test. The provider, the server and each reader keep a ledger; this says
 * whether the promises held, whatever happened in between:
 *
 * - the server's log, and the run's archive, is one whole run in the legal order, numbered without gaps (but for those of
 *   merged tokens), with one end;
 * - each reader has exactly that: nothing twice, nothing missing, nothing out of order, where a
 *   merged token counts as the ones it merged;
 * - the text is the provider's, and the provider was called once, or again only where a `reset`
 *   before the first token says so.
 */
import { RunArchive } from "../../src/log/archive/run-archive.ts";
import type { EventLog } from "../../src/log/log.ts";
import type { Langwire } from "../../src/open/open-langwire.ts";
import { chatEvent, type EventOf } from "../../src/protocol/events.ts";
import { AnswerFold } from "../../src/protocol/fold/answer-fold.ts";
import { isTextPiece, joined } from "../../src/protocol/fold/text-pieces.ts";
import { beforeRun, nextOrder } from "../../src/protocol/order.ts";
import type { Store } from "../../src/store/store.ts";
import type { Received } from "../support/stock-client.ts";

export interface RunLedger {
  readonly runId: string;
  /** What the server's log holds of the run, or a reader has who was never disturbed. */
  readonly log: readonly Received[];
  /** What each reader received, by the reader's name. */
  readonly readers: Readonly<Record<string, readonly Received[]>>;
  readonly provider: {
    readonly calls: number;
    /** The whole text, when the provider could finish. */
    readonly text?: string;
  };
}

export class Violation extends Error {
  constructor(runId: string, what: string) {
    super(`run ${runId}: ${what}`);
    this.name = "Violation";
  }
}

/** @throws Violation */
export function judge({ runId, log, readers, provider }: RunLedger): EventOf<"runEnd"> {
  const end = judgeLog(runId, log);
  const expected = merged(log);
  for (const [name, received] of Object.entries(readers)) {
    const seen = merged(received.filter(({ event }) => event.runId === runId));
    const length = Math.max(seen.length, expected.length);
    for (let index = 0; index < length; index++) {
      const [got, want] = [seen[index], expected[index]].map((it) => JSON.stringify(it));
      if (got === want) continue;
      throw new Violation(runId, `${name} has ${cut(got)} where the log has ${cut(want)}`);
    }
  }
  if (end.status === "completed" && provider.text !== undefined && end.text !== provider.text) {
    throw new Violation(runId, `ended with ${cut(end.text)}, not with ${cut(provider.text)}`);
  }
  const resets = log.filter(({ event }) => event.type === "reset").length;
  // A run that died early may not have come as far as its call.
  const fewest = end.status === "completed" ? 1 + resets : 0;
  if (provider.calls > 1 + resets || provider.calls < fewest) {
    throw new Violation(runId, `${provider.calls} provider calls with ${resets} recorded retries`);
  }
  return end;
}

function judgeLog(runId: string, log: readonly Received[]): EventOf<"runEnd"> {
  let order = beforeRun;
  let seq = Number(log[0]?.id ?? 0);
  const answer = new AnswerFold();
  for (const { id, event } of log) {
    if (isTextPiece(event) ? Number(id) < seq : Number(id) !== seq) {
      throw new Violation(runId, `event ${id} where ${seq} should be`);
    }
    seq = Number(id) + 1;
    order = nextOrder(order, chatEvent.parse(event));
    // The end has the answer in it, and is what the answer that was streamed is compared with.
    if (event.type !== "runEnd") answer.add(event);
  }
  const end = log.at(-1)?.event;
  if (order.phase !== "ended" || end?.type !== "runEnd") throw new Violation(runId, "has no end");
  if (answer.text !== end.text) {
    throw new Violation(runId, `its tokens are ${cut(answer.text)}, its end ${cut(end.text)}`);
  }
  return end;
}

/** The transcript with neighbouring tokens of one span as one, at the place of the last. */
export function merged(received: readonly Received[]): Received[] {
  const result: Received[] = [];
  for (const { id, event } of received) {
    const last = result.at(-1);
    const whole = last && joined(last.event, event);
    if (whole === undefined) result.push({ id, event });
    else result[result.length - 1] = { id, event: whole };
  }
  return result;
}

/**
 * Everything that the server has of a conversation's run: in its log, or, where it has left that, in its
 * archive. @throws Violation where it has both, and they are not the same
 */
export async function logOf(
  { log, store }: Pick<Langwire, "log" | "store">,
  run: { readonly conversationId: string; readonly runId: string },
): Promise<Received[]> {
  const logged = await loggedOf(log, run);
  const archived = await archivedOf(store, run);
  const isWhole = logged[0]?.event.type === "runStart" && logged.at(-1)?.event.type === "runEnd";
  if (isWhole && archived.length > 0 && JSON.stringify(logged) !== JSON.stringify(archived)) {
    throw new Violation(run.runId, "its archive is not what its log has");
  }
  return logged.length > 0 ? logged : archived;
}

async function archivedOf(store: Store, { runId }: { runId: string }): Promise<Received[]> {
  const all: Received[] = [];
  for (const { events } of await store.archives.get(runId)) {
    const archive = RunArchive.open(events);
    for (let after = 0; ; ) {
      const entries = await archive.after(after);
      for (const { seq, event } of entries) all.push({ id: String(seq), event });
      const last = entries.at(-1);
      if (last === undefined) break;
      after = last.seq;
    }
  }
  return all;
}

async function loggedOf(
  log: EventLog,
  { conversationId, runId }: { readonly conversationId: string; readonly runId: string },
): Promise<Received[]> {
  const all: Received[] = [];
  for (let after = 0; ; ) {
    const { entries } = await log.read(conversationId, after);
    for (const entry of entries) {
      if (entry.runId === runId) all.push({ id: String(entry.seq), event: entry.event });
    }
    const last = entries.at(-1);
    if (last === undefined) return all;
    after = last.seq;
  }
}

function cut(text: string | undefined): string {
  if (text === undefined) return "nothing";
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
