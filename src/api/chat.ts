/** `chat.*`: sending, following, watching, stopping. */
import { cancelInput, followInput, sendInput, watchInput } from "../protocol/inputs.ts";
import type { FailureDetails } from "../runs/failure-details.ts";
import type { Follower } from "../runs/following/follower.ts";
import type { EventSink } from "../runs/following/readers.ts";
import type { Runs } from "../runs/runs.ts";
import type { CallContext } from "./context.ts";
import type { Procedures } from "./procedures.ts";
import { TrackedEvents } from "./subscription.ts";

export function chatRouter(
  { router, procedure }: Procedures,
  { runs, failureDetails }: { runs: Runs; failureDetails: FailureDetails | undefined },
) {
  /** Counted against the connection's limit from before the first await until the reader closes. */
  async function subscribe(
    { pacer, openSubscription }: CallContext,
    signal: AbortSignal | undefined,
    follow: (sink: EventSink) => Promise<Follower>,
  ): Promise<TrackedEvents> {
    const release = openSubscription?.();
    try {
      const follower = await follow({ pacer, signal, onClose: release });
      return new TrackedEvents(follower, failureDetails);
    } catch (cause) {
      release?.();
      throw cause;
    }
  }
  return router({
    send: procedure
      .input(sendInput)
      .subscription(({ ctx, input, signal }) =>
        subscribe(ctx, signal, (sink) => runs.send(ctx.caller, input, sink)),
      ),
    follow: procedure
      .input(followInput)
      .subscription(({ ctx, input, signal }) =>
        subscribe(ctx, signal, (sink) => runs.follow(ctx.caller, input, sink)),
      ),
    watch: procedure
      .input(watchInput)
      .subscription(({ ctx, input, signal }) =>
        subscribe(ctx, signal, (sink) => runs.watch(ctx.caller, input, sink)),
      ),
    cancel: procedure
      .input(cancelInput)
      .mutation(({ ctx, input }) => runs.cancel(ctx.caller, input.runId)),
  });
}
