/** A follower as tRPC wants it: every event tracked by its number, until it has an outlet. */
import { type TrackedEnvelope, tracked } from "@trpc/server";
import type { LogEntry } from "../log/entry.ts";
import type { ChatEvent } from "../protocol/events.ts";
import type { Follower } from "../runs/follow.ts";
import type { Outlet, Present } from "./context.ts";
import { toTrpcError } from "./errors.ts";

type Result = IteratorResult<TrackedEnvelope<ChatEvent>, undefined>;

export class TrackedEvents implements AsyncIterableIterator<TrackedEnvelope<ChatEvent>, undefined> {
  readonly #follower: Follower;
  readonly #present: Present;

  constructor(follower: Follower, present: Present, outlet?: Outlet) {
    this.#follower = follower;
    this.#present =
      outlet === undefined
        ? present
        : (entry) => outlet.first(entry, (send) => follower.divert(send));
  }

  next(): Promise<Result> {
    return this.#follower.next().then(this.#tracked, refuse);
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

  readonly #tracked = (result: IteratorResult<LogEntry, undefined>): Result => {
    if (result.done === true) return result;
    return { done: false, value: tracked(String(result.value.seq), this.#present(result.value)) };
  };
}

function refuse(cause: unknown): never {
  throw toTrpcError(cause);
}
