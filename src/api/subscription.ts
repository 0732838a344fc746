/** A subscription's events: an iterator for tRPC, and a direct delivery for our own server. */
import { type TrackedEnvelope, tracked } from "@trpc/server";
import type { LogEntry } from "../log/entry.ts";
import type { ChatEvent } from "../protocol/events.ts";
import type { FailureDetails } from "../runs/failure-details.ts";
import type { Follower } from "../runs/following/follower.ts";
import { toTrpcError } from "./errors.ts";

type Result = IteratorResult<TrackedEnvelope<ChatEvent>, undefined>;

export class TrackedEvents implements AsyncIterableIterator<TrackedEnvelope<ChatEvent>, undefined> {
  readonly #follower: Follower;
  readonly #details: FailureDetails | undefined;

  /** @param details in development mode: what events of failures have besides */
  constructor(follower: Follower, details?: FailureDetails) {
    this.#follower = follower;
    this.#details = details;
  }

  /** The number of the last event that was taken; before the first, where reading begins. */
  get position(): number {
    return this.#follower.position;
  }

  /** Every event, tracked by its number. */
  next(): Promise<Result> {
    const details = this.#details;
    return this.#follower.next().then((result) => trackedResult(result, details), refuse);
  }

  /**
   * Instead of `next`: calls `take` with each entry as the log has it, without a promise for each.
   * @returns settles with the end
   */
  deliver(take: (entry: LogEntry) => void): Promise<void> {
    const details = this.#details;
    const each = details === undefined ? take : (entry: LogEntry) => take(details.inEntry(entry));
    return this.#follower.deliver(each).catch(refuse);
  }

  return(): Promise<IteratorReturnResult<undefined>> {
    return this.#follower.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#follower.return();
  }
}

function trackedResult(
  result: IteratorResult<LogEntry, undefined>,
  details: FailureDetails | undefined,
): Result {
  if (result.done === true) return result;
  const { seq, event } = details?.inEntry(result.value) ?? result.value;
  return { done: false, value: tracked(String(seq), event) };
}

function refuse(cause: unknown): never {
  throw toTrpcError(cause);
}
