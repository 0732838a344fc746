/**
 * What bots threw, for readers in development: kept in this process alone and added to events and messages as
 * they are handed out. The log, the archive, the store and Redis never have it, so that nothing of it
 * is left where the same data is served in production.
 */
import type { BotFailure } from "../bots/failures/bot-failure.ts";
import { describeThrown } from "../bots/failures/thrown.ts";
import { LogEntry } from "../log/entry.ts";
import type { Message } from "../protocol/conversations.ts";
import type { ChatEvent } from "../protocol/events.ts";
import type { Run } from "../store/store.ts";

/** The newest; of a run that fell out, its readers get the error alone. */
const runsAtMost = 500;
const spansAtMost = 100;

/** Of one run: what its spans threw, and the run itself under the empty name. */
type OfRun = Map<string, string>;

export class FailureDetails {
  readonly #ofRuns = new Map<string, OfRun>();

  /** From now on, of the runs of a process. */
  static of({ onBotFailure }: { onBotFailure(listener: FailureDetails["add"]): unknown }) {
    const details = new FailureDetails();
    onBotFailure(details.add);
    return details;
  }

  readonly add = ({ runId }: Pick<Run, "runId">, { error, span }: BotFailure): void => {
    if (error.cause === undefined) return;
    const ofRun = this.#ofRuns.get(runId) ?? this.#begin(runId);
    if (ofRun.size < spansAtMost || span === undefined) {
      ofRun.set(span?.id ?? "", describeThrown(error.cause));
    }
  };

  /** The entry with what its span or its run threw, where that is known. */
  inEntry(entry: LogEntry): LogEntry {
    if (entry.type !== "error" && entry.type !== "runEnd") return entry;
    const ofRun = this.#ofRuns.get(entry.runId);
    return ofRun === undefined ? entry : LogEntry.of(entry.seq, inEvent(entry.event, ofRun));
  }

  /** The same of a message out of the history. */
  inMessage(message: Message): Message {
    const ofRun = this.#ofRuns.get(message.runId);
    if (ofRun === undefined) return message;
    const { error, parts } = message;
    return {
      ...message,
      ...(error && { error: { ...error, ...detailOf(ofRun, "") } }),
      ...(parts && {
        parts: parts.map((part) =>
          part.type === "tool" && part.error && part.spanId !== undefined
            ? { ...part, error: { ...part.error, ...detailOf(ofRun, part.spanId) } }
            : part,
        ),
      }),
    };
  }

  #begin(runId: string): OfRun {
    const [oldest] = this.#ofRuns.keys();
    if (oldest !== undefined && this.#ofRuns.size >= runsAtMost) this.#ofRuns.delete(oldest);
    const ofRun: OfRun = new Map();
    this.#ofRuns.set(runId, ofRun);
    return ofRun;
  }
}

function inEvent(event: ChatEvent, ofRun: OfRun): ChatEvent {
  switch (event.type) {
    case "error":
      return { ...event, ...detailOf(ofRun, event.spanId) };
    case "runEnd": {
      const { error } = event;
      return error === undefined
        ? event
        : { ...event, error: { ...error, ...detailOf(ofRun, "") } };
    }
    default:
      return event;
  }
}

function detailOf(ofRun: OfRun, spanId: string): { readonly detail?: string } {
  const detail = ofRun.get(spanId);
  return detail === undefined ? {} : { detail };
}
