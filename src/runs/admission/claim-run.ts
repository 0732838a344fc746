/** Claims a run in the store, and makes of its answer what there is to do: begin it, or only follow it. */
import type { Catalogue } from "../../bots/catalogue.ts";
import type { Conversation } from "../../protocol/conversations.ts";
import { LangwireError } from "../../protocol/errors.ts";
import type { SendInput } from "../../protocol/inputs.ts";
import type { Run, Store } from "../../store/store.ts";
import type { Caller } from "../caller.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { botFor, textOf } from "./input-refusal.ts";
import { type Preparation, type PreparationOptions, prepare } from "./preparation.ts";

export interface ClaimOptions {
  readonly bots: Catalogue;
  readonly store: Store;
  readonly cluster: Cluster | undefined;
  readonly asked: Omit<PreparationOptions, "bot">;
  /** Whether the store has the run as in progress on this process, and nobody here works on it. */
  readonly isUnattended: (run: Run) => boolean;
  /** Stops the run that is in progress in the conversation, where the caller wants that. */
  readonly stop: (caller: Caller, runId: string) => Promise<unknown>;
}

interface ClaimRequest {
  readonly caller: Caller;
  readonly input: SendInput;
  readonly prepared: Preparation;
}

export interface ClaimedRun extends Preparation {
  readonly run: Run;
  /** Undefined: it was deleted since. */
  readonly conversation: Conversation | undefined;
}

/**
 * @returns what is to be begun, or the run that somebody has begun already
 * @throws LangwireError why there is no such run
 */
export async function claimRun(
  { caller, input, prepared }: ClaimRequest,
  { bots, store, cluster, asked, isUnattended, stop }: ClaimOptions,
): Promise<{ readonly begin: ClaimedRun } | { readonly run: Run }> {
  const { runId, conversationId, botId, ifBusy } = input;
  const who = { userId: caller.userId, owner: cluster?.nodeId };
  const given = { message: textOf(input), input: input.input };
  const claim = { runId, conversationId, botId, ...given, ...who };
  for (;;) {
    const claimed = await store.runs.claim(claim);
    switch (claimed.outcome) {
      case "claimed": {
        const { run, conversation } = claimed;
        return { begin: { run, conversation, ...prepared } };
      }
      case "exists": {
        const { run } = claimed;
        // Another member's: it would be begun with the context of somebody who has not sent it.
        if (!isUnattended(run) || run.userId !== caller.userId) return { run };
        // An earlier claim whose answer was lost: the run is still to be begun, as it was claimed.
        const conversation = await store.conversations.get(run.conversationId, run.userId);
        const bot = run.botId === botId ? prepared.bot : botFor(run, bots);
        const asClaimed = await prepare(caller, run, { ...asked, bot });
        return { begin: { run, conversation, ...asClaimed } };
      }
      case "foreign":
        throw new LangwireError("NOT_FOUND");
      case "wrongBot":
        throw new LangwireError("BAD_INPUT", { message: "botId: not this conversation's bot" });
      case "busy":
        if (await cluster?.storeToldEnd({ conversationId, runId: claimed.runId })) break;
        if (ifBusy === "reject") throw new LangwireError("CONVERSATION_BUSY");
        await stop(caller, claimed.runId);
    }
  }
}
