/** The operator's access to one user: all that is kept of them, and its erasure. */
import type { FastifyInstance } from "fastify";
import type { Langwire } from "../../open/open-langwire.ts";
import type { ChatEvent } from "../../protocol/events.ts";
import {
  type ExportedRun,
  type ExportLine,
  exportedLines,
  exportedRun,
} from "./admin-conversations.ts";
import { jsonLines } from "./json-lines.ts";

/**
 * A line of a user's export. First the conversations of which they are a member: those that they own,
 * each as in an export of its own, and what the log still has of its events; of others, the membership.
 * Then what they have sent in conversations of others, with its answers.
 */
export type UserExportLine =
  | ExportLine
  | { readonly type: "event"; readonly seq: number; readonly event: ChatEvent }
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
  const { store, log } = langwire;
  const { administration } = store;

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
      yield* exportedLines(conversation, administration);
      yield* loggedEvents(conversationId);
    }
    for await (const run of administration.runsOf(userId)) {
      const { conversationId } = run;
      if (!owned.has(conversationId)) yield { type: "sent", conversationId, ...exportedRun(run) };
    }
  }

  async function* loggedEvents(conversationId: string): AsyncGenerator<UserExportLine, void> {
    for (let after = 0; ; ) {
      const { entries } = await log.read(conversationId, after);
      for (const { seq, event } of entries) yield { type: "event", seq, event };
      const last = entries.at(-1);
      if (last === undefined) return;
      after = last.seq;
    }
  }
}
