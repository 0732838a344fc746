/** `conversations.*`: the caller's conversations, their members and their messages. */

import type { Catalogue } from "../bots/catalogue.ts";
import type { Conversation, ConversationPage, MessagePage } from "../protocol/conversations.ts";
import { LangwireError } from "../protocol/errors.ts";
import {
  conversationInput,
  createConversationInput,
  listInput,
  messagesInput,
  renameInput,
} from "../protocol/inputs.ts";
import type { Caller } from "../runs/caller.ts";
import type { FailureDetails } from "../runs/failure-details.ts";
import type { Runs } from "../runs/runs.ts";
import type { Store } from "../store/store.ts";
import type { Procedures } from "./procedures.ts";

export function conversationsRouter(
  { router, procedure }: Procedures,
  options: {
    bots: Catalogue;
    runs: Runs;
    store: Store;
    admitConversation: ((caller: Caller) => Promise<void>) | undefined;
    failureDetails: FailureDetails | undefined;
  },
) {
  const { bots, runs, store, admitConversation, failureDetails } = options;
  const { conversations } = store;

  /**
   * Runs what may remove members, then has readers' memberships proved again, also when it failed: the
   * store may have removed members though its answer was lost, and a retry finds nothing to remove.
   */
  async function removing<T>(
    conversationId: string,
    remove: () => Promise<Removal<T>>,
  ): Promise<T> {
    const { answer, removed, finished } = await remove().catch(async (cause: unknown) => {
      await runs.membersChanged(conversationId, []);
      throw cause;
    });
    await runs.membersChanged(conversationId, removed);
    await finished;
    return answer;
  }

  /**
   * What was asked of a conversation was not done. Whoever may read it is told why, everybody else
   * what is said of one that does not exist.
   */
  async function refusal(
    conversationId: string,
    userId: string,
    message: string,
  ): Promise<LangwireError> {
    const seen = await conversations.get(conversationId, userId);
    return new LangwireError("NOT_FOUND", seen === undefined ? {} : { message });
  }

  /** @param verb what only its owner may do with a conversation */
  async function owners<T extends object>(
    done: Promise<T | undefined>,
    { verb, conversationId, userId }: { verb: string; conversationId: string; userId: string },
  ): Promise<T> {
    const message = `Only its owner may ${verb} a conversation.`;
    return (await done) ?? Promise.reject(await refusal(conversationId, userId, message));
  }

  return router({
    create: procedure.input(createConversationInput).mutation(async ({ ctx, input }) => {
      if (bots.get(input.botId) === undefined) throw new LangwireError("NOT_FOUND");
      const { userId } = ctx.caller;
      // A retry finds the conversation that the first call created, and is not rate limited again.
      const known = await conversations.get(input.conversationId, userId);
      if (known === undefined) await admitConversation?.(ctx.caller);
      return found(await conversations.create({ ...input, userId }));
    }),

    list: procedure
      .input(listInput)
      .query(
        ({ ctx, input }): Promise<ConversationPage> => conversations.list(ctx.caller.userId, input),
      ),

    get: procedure.input(conversationInput).query(async ({ ctx, input }): Promise<Conversation> => {
      const { conversationId } = input;
      const conversation = found(await conversations.get(conversationId, ctx.caller.userId));
      const start = await runs.watchStart(conversationId);
      return { ...conversation, lastEventId: String(start.position) };
    }),

    rename: procedure
      .input(renameInput)
      .mutation(async ({ ctx, input: { conversationId, title } }) => {
        const { userId } = ctx.caller;
        const renamed = conversations.rename(conversationId, userId, title);
        return await owners(renamed, { verb: "rename", conversationId, userId });
      }),

    /** From now on, anybody who knows the id may join. */
    share: procedure
      .input(conversationInput)
      .mutation(async ({ ctx, input: { conversationId } }) => {
        const { userId } = ctx.caller;
        const shared = conversations.share(conversationId, userId);
        return await owners(shared, { verb: "share", conversationId, userId });
      }),

    /** Removes everybody but the owner; their readers fail at once. */
    unshare: procedure.input(conversationInput).mutation(async ({ ctx, input }) => {
      const { conversationId } = input;
      const { userId } = ctx.caller;
      return await removing(conversationId, async () => {
        const unsharing = conversations.unshare(conversationId, userId);
        const unshared = await owners(unsharing, { verb: "unshare", conversationId, userId });
        return { answer: unshared.conversation, removed: unshared.removed };
      });
    }),

    join: procedure
      .input(conversationInput)
      .mutation(async ({ ctx, input }) =>
        found(await conversations.join(input.conversationId, ctx.caller.userId)),
      ),

    leave: procedure.input(conversationInput).mutation(async ({ ctx, input }) => {
      const { conversationId } = input;
      const { userId } = ctx.caller;
      return await removing(conversationId, async () => {
        const left = await conversations.leave(conversationId, userId);
        if (!left) {
          const message = "Its owner cannot leave a conversation: unshare it, or delete it.";
          throw await refusal(conversationId, userId, message);
        }
        return { answer: { conversationId }, removed: [userId] };
      });
    }),

    /** Stops the run in progress, ends every watch, and deletes the messages. */
    delete: procedure.input(conversationInput).mutation(async ({ ctx, input }) => {
      const { conversationId } = input;
      const { userId } = ctx.caller;
      return await removing(conversationId, async () => {
        const deleting = conversations.delete(conversationId, userId);
        const deleted = await owners(deleting, { verb: "delete", conversationId, userId });
        const finished = runs.deleted(conversationId, deleted.runningRunId);
        return { answer: { conversationId }, finished };
      });
    }),

    messages: procedure.input(messagesInput).query(async ({ ctx, input }): Promise<MessagePage> => {
      const { conversationId, ...page } = input;
      const member = await conversations.isMember(conversationId, ctx.caller.userId);
      if (!member) throw new LangwireError("NOT_FOUND");
      const messages = await conversations.messages(conversationId, page);
      if (failureDetails === undefined) return messages;
      return { ...messages, items: messages.items.map((one) => failureDetails.inMessage(one)) };
    }),
  });
}

interface Removal<T> {
  readonly answer: T;
  /** Who is known to be removed; absent for everybody. */
  readonly removed?: readonly string[];
  /** What the answer waits for, and readers do not who are to be shut out. */
  readonly finished?: Promise<void>;
}

/** What the caller may not see is NOT_FOUND, as what does not exist. */
function found<T>(value: T | undefined): T {
  if (value === undefined) throw new LangwireError("NOT_FOUND");
  return value;
}
