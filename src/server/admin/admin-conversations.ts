/** The operator's access to what is stored: a conversation whole, and the deletion of old ones. */
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { Langwire } from "../../open/open-langwire.ts";
import { LangwireError } from "../../protocol/errors.ts";
import type { Administration, StoredConversation } from "../../store/administration.ts";
import type { Run } from "../../store/store.ts";
import { jsonLines } from "./json-lines.ts";

/** A line of an export: first the conversation, then its members, then its runs, the oldest first. */
export type ExportLine =
  | ({ readonly type: "conversation" } & StoredConversation)
  | { readonly type: "member"; readonly userId: string }
  | ({ readonly type: "run" } & ExportedRun);

export type ExportedRun = ReturnType<typeof exportedRun>;

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
  const exported = (conversation: StoredConversation) =>
    exportedLines(conversation, administration);

  admin.get<ConversationParams>("/conversations/:conversationId", async ({ params }, reply) => {
    const conversation = await administration.conversation(params.conversationId);
    if (conversation === undefined) throw new LangwireError("NOT_FOUND");
    return jsonLines(reply, exported(conversation));
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
        await langwire.runs.membersChanged(conversationId);
        langwire.runs.deleted(conversationId);
      }
      yield line;
    }
  }
}

/** A conversation whole. */
export async function* exportedLines(
  conversation: StoredConversation,
  administration: Administration,
): AsyncGenerator<ExportLine, void> {
  const { conversationId } = conversation;
  yield { type: "conversation", ...conversation };
  for await (const userId of administration.members(conversationId)) {
    yield { type: "member", userId };
  }
  for await (const run of administration.runs(conversationId)) {
    yield { type: "run", ...exportedRun(run) };
  }
}

/** Without what the conversation's line says, and what only the server makes use of. */
export function exportedRun(run: Run) {
  const {
    conversationId: _,
    botId: _bot,
    firstSeq: _first,
    endSeq: _end,
    owner: _node,
    ...facts
  } = run;
  return facts;
}
