/** The operator's access to one user: all that is kept of them, and its erasure. */
import type { FastifyInstance } from "fastify";
import type { Langwire } from "../../open/open-langwire.ts";
import { type ExportLine, exportedLines } from "./admin-conversations.ts";
import { type ExportedRun, exportedRun } from "./exported-runs.ts";
import { jsonLines } from "./json-lines.ts";

/**
 * A line of a user's export. First the conversations of which they are a member: those that they own,
 * each as in an export of its own; of others, the membership. Then what they have sent in conversations of
 * others, with its answers and events.
 */
export type UserExportLine =
  | ExportLine
  | {
      readonly type: "membership";
      readonly conversationId: string;
      readonly botId: string;
      readonly title: string;
    }
  | ({ readonly type: "sent"; readonly conversationId: string } & ExportedRun);

interface UserParams {
  Params: { userId: string };
}

export function adminUserRoutes(admin: FastifyInstance, langwire: Langwire): void {
  const { administration } = langwire.store;

  admin.get<UserParams>("/users/:userId", ({ params }, reply) =>
    jsonLines(reply, exported(params.userId)),
  );

  admin.post<UserParams>("/users/:userId/delete", ({ params }, reply) =>
    jsonLines(reply, langwire.eraseUser(params.userId)),
  );

  async function* exported(userId: string): AsyncGenerator<UserExportLine, void> {
    const owned = new Set<string>();
    for await (const conversation of administration.conversationsOf(userId)) {
      const { conversationId, botId, title, ownerId } = conversation;
      if (ownerId !== userId) {
        yield { type: "membership", conversationId, botId, title };
        continue;
      }
      owned.add(conversationId);
      yield* exportedLines(conversation, langwire);
    }
    for await (const run of administration.runsOf(userId)) {
      const { conversationId } = run;
      if (owned.has(conversationId)) continue;
      yield* exportedRun(run, { type: "sent", conversationId } as const, langwire);
    }
  }
}
