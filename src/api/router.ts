/**
 * The tRPC router: what the server serves, and what mounts into another application's router.
 *
 * What goes with a new procedure: its input (protocol/inputs.ts); its row in the matrix of callers
 * (test/security), its section in PROTOCOL.md and `npm run generate`, which tests ask for; and, which
 * nobody asks for, a new field that is an id (api/canonical-ids.ts) and the client's method.
 */
import type { CombinedDataTransformer } from "@trpc/server";
import type { Catalogue } from "../bots/catalogue.ts";
import type { Caller } from "../runs/caller.ts";
import type { FailureDetails } from "../runs/failure-details.ts";
import type { Runs } from "../runs/runs.ts";
import type { Store } from "../store/store.ts";
import { chatRouter } from "./chat.ts";
import type { CallContext } from "./context.ts";
import { conversationsRouter } from "./conversations.ts";
import { createProcedures } from "./procedures.ts";

export interface ChatRouterOptions<Context extends object> {
  readonly bots: Catalogue;
  readonly runs: Runs;
  readonly store: Store;
  /** Counts a `conversations.create`. @throws LangwireError RATE_LIMITED. Default: no limit. */
  readonly admitConversation?: ((caller: Caller) => Promise<void>) | undefined;
  /** Who calls, read from your own context. Throw LangwireError UNAUTHORIZED for nobody. */
  readonly connection: (context: Context) => CallContext;
  /** Default: superjson both ways. Where the router is mounted, the outer router's counts. */
  readonly transformer?: CombinedDataTransformer;
  /** For development: what bots threw is handed to callers, as the `detail` of an error. Default: never. */
  readonly failureDetails?: FailureDetails | undefined;
}

/** `chat`, `conversations` and `bots`, over the runs, store and bots of `openLangwire`. */
export function createChatRouter<Context extends object>(options: ChatRouterOptions<Context>) {
  const { bots, runs, store, admitConversation, connection, transformer } = options;
  const { failureDetails } = options;
  const shown = { inDevelopment: failureDetails !== undefined };
  const procedures = createProcedures({ connection, store, ...shown }, transformer);
  const { router, procedure } = procedures;
  return router({
    chat: chatRouter(procedures, { runs, failureDetails }),
    conversations: conversationsRouter(procedures, {
      ...{ bots, runs, store, admitConversation, failureDetails },
    }),
    bots: router({
      list: procedure.query(async ({ ctx }) => {
        const { maxMessageLength } = await runs.limitsOf(ctx.caller);
        return bots.list(maxMessageLength);
      }),
    }),
  });
}

export type ChatRouter = ReturnType<typeof createChatRouter>;
