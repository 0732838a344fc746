/**
 * What everybody saw, while they see it: what one reader has at a number is what all have there, a
 * run's events come in order, each once, and everybody is told the same one end.
 */
import type { ChatEvent, EventOf } from "../../../src/protocol/events.ts";

/** Words as the provider says them: `w0 w1 w2 `. */
export const wordsOf = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `w${index} `);

export interface SeenRun {
  readonly runId: string;
  /** Whether this reader has the run from its start on. */
  readonly fromStart: boolean;
  text: string;
  /** Its events were passed over, and its end stands in for them. */
  short: boolean;
  end: EventOf<"runEnd"> | undefined;
}

type ToldEnd = Pick<EventOf<"runEnd">, "status" | "text"> & { readonly code: string | undefined };

export const toldEnd = ({ status, text, error }: EventOf<"runEnd">): ToldEnd => ({
  status,
  text,
  code: error?.code,
});

export class Ledger {
  readonly violations: string[] = [];
  readonly ends = new Map<string, { readonly told: string; readonly by: string }>();
  readonly #at = new Map<string, { readonly what: string; readonly by: string }>();
  /** Redis lost events that readers had seen, and their owner may have died with them. */
  lostEvents = false;
  readonly #startedMs = performance.now();

  violation(what: string): void {
    const atMs = Math.round(performance.now() - this.#startedMs);
    if (this.violations.length < 50) this.violations.push(`${atMs} ms: ${what}`);
  }

  /** @returns what the reader knows of the run from now on */
  take(
    reader: { readonly name: string; readonly conversationId: string },
    { seq, before, event }: { seq: number; before: number | undefined; event: ChatEvent },
    known: SeenRun | undefined,
  ): SeenRun {
    const { name, conversationId } = reader;
    const { runId } = event;
    const say = (what: string) => this.violation(`${name}, run ${runId}, ${seq}: ${what}`);
    const run = known ?? {
      ...{ runId, fromStart: event.type === "runStart", text: "" },
      ...{ short: false, end: undefined },
    };
    if (run.end !== undefined) say(`${event.type} after its end`);
    if (known !== undefined && event.type === "runStart") say("a second runStart");
    const skipped = before !== undefined && seq !== before + 1;
    const place = `${conversationId} ${seq}`;
    switch (event.type) {
      case "token": {
        // Neighbouring ones may come as one, at the number of the last.
        run.text += event.text;
        if (run.fromStart) this.#same(place, `…${run.text.length} ${run.text.slice(-20)}`, name);
        break;
      }
      case "runEnd": {
        if (skipped) run.short = true;
        run.end = event;
        this.#ended(event, name);
        this.#compareText(run, event, say);
        break;
      }
      default: {
        if (skipped && event.type !== "runStart") say(`${event.type} after ${before}: a gap`);
        this.#same(place, JSON.stringify(event), name);
      }
    }
    return run;
  }

  #same(place: string, what: string, by: string): void {
    const had = this.#at.get(place);
    if (had === undefined) this.#at.set(place, { what, by });
    else if (had.what !== what) {
      this.violation(`${place} is ${had.what} to ${had.by}, and ${what} to ${by}`);
    }
  }

  #ended(event: EventOf<"runEnd">, by: string): void {
    const told = JSON.stringify(toldEnd(event));
    const had = this.ends.get(event.runId);
    if (had === undefined) this.ends.set(event.runId, { told, by });
    else if (had.told !== told) {
      this.violation(`run ${event.runId} ended ${had.told} to ${had.by}, and ${told} to ${by}`);
    }
  }

  #compareText(
    run: SeenRun,
    { text, error }: EventOf<"runEnd">,
    say: (what: string) => void,
  ): void {
    if (!run.fromStart) return;
    const ownerLost = error?.code === "OWNER_LOST" || error?.code === "SERVER_RESTARTED";
    // The one loss that is allowed: of the last moment, by Redis and the run's owner together.
    if (this.lostEvents && ownerLost) return;
    if (!text.startsWith(run.text)) say(`read "${run.text}", ended with "${text}"`);
    else if (text.length > run.text.length && !run.short) {
      say(`read ${run.text.length} characters, ended with ${text.length}`);
    }
  }
}
