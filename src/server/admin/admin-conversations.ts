/** The operator's access to what is stored: a conversation whole, and the deletion of old ones. */
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { Langwire } from "../../open/open-langwire.ts";
import { LangwireError } from "../../protocol/errors.ts";
import type { StoredConversation } from "../../store/administration.ts";
import {
  type EventLine,
  type ExportedRun,
  type ExportSource,
  exportedRun,
} from "./exported-runs.ts";
import { jsonLines } from "./json-lines.ts";

/**
 * A line of an export: first the conversation, then its members, then its runs, the oldest first, each
 * with its events.
 */
export type ExportLine =
  | ({ readonly type: "conversation" } & StoredConversation)
  | { readonly type: "member"; readonly userId: string }
  | ({ readonly type: "run" } & ExportedRun)
  | EventLine;

/** A line of what `prune` answers: a conversation that it deleted or, in a dry run, would delete. */
export type PruneLine = Pick<
  StoredConversation,
  "conversationId" | "botId" | "ownerId" | "createdAt" | "updatedAt"
>;

/** Some thirty years: no conversation is older. */
const maxAgeMs = 1e12;

/** What `prune` takes, as JSON. */
export const pruneInput = z.object({
  /** Deletes what was last active longer ago than this. */
  olderThanMs: z.int().positive().max(maxAgeMs),
  /** Deletes nothing. */
  dryRun: z.boolean(),
});
export type PruneInput = z.infer<typeof pruneInput>;

interface ConversationParams {
  Params: { conversationId: string };
}

export function adminConversationRoutes(admin: FastifyInstance, langwire: Langwire): void {
  const { administration } = langwire.store;
  admin.get<ConversationParams>("/conversations/:conversationId", async ({ params }, reply) => {
    const conversation = await administration.conversation(params.conversationId);
    if (conversation === undefined) {
      throw new LangwireError("NOT_FOUND", { message: "There is no such conversation." });
    }
    return jsonLines(reply, exportedLines(conversation, langwire));
  });

  admin.post("/prune", ({ body }, reply) => {
    const input = pruneInput.safeParse(body);
    if (!input.success) {
      throw new LangwireError("BAD_INPUT", { message: z.prettifyError(input.error) });
    }
    return jsonLines(reply, pruned(input.data));
  });

  async function* pruned({ olderThanMs, dryRun }: PruneInput): AsyncGenerator<PruneLine, void> {
    const before = new Date(Date.now() - olderThanMs).toISOString();
    for await (const { title: _, shared: _shared, ...line } of administration.inactive(before)) {
      const { conversationId } = line;
      if (!dryRun) {
        if (!(await administration.deleteInactive(conversationId, before))) continue;
        const deleted = langwire.runs.deleted(conversationId);
        await langwire.runs.membersChanged(conversationId);
        await deleted;
      }
      yield line;
    }
  }
}

/** A conversation whole. */
export async function* exportedLines(
  conversation: StoredConversation,
  source: ExportSource,
): AsyncGenerator<ExportLine, void> {
  const { conversationId } = conversation;
  const { administration } = source.store;
  yield { type: "conversation", ...conversation };
  for await (const userId of administration.members(conversationId)) {
    yield { type: "member", userId };
  }
  for await (const run of administration.runs(conversationId)) {
    yield* exportedRun(run, { type: "run" } as const, source);
  }
}
