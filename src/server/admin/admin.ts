/**
 * The routes of the admin command: the runs in progress on this process, and everybody's stored
 * conversations. Each request needs the operator's token; without a token in the settings there are no
 * such routes.
 */
import type { FastifyInstance } from "fastify";
import type { Langwire } from "../../open/open-langwire.ts";
import { LangwireError } from "../../protocol/errors.ts";
import { requireBearer } from "../access/bearer.ts";
import { adminBackupRoute } from "./admin-backup.ts";
import { adminConversationRoutes } from "./admin-conversations.ts";
import { adminUserRoutes } from "./admin-users.ts";
import { jsonLines } from "./json-lines.ts";

interface RunParams {
  Params: { runId: string };
}

export function adminRoutes(app: FastifyInstance, langwire: Langwire, token: string): void {
  const { runs } = langwire;
  app.register(
    async (admin) => {
      admin.addHook("onRequest", requireBearer(token));

      admin.get("/runs", () =>
        [...runs.live.values()].map(({ run, lastSeq }) => {
          const { message: _message, ...facts } = run;
          return { ...facts, events: lastSeq - run.firstSeq + 1 };
        }),
      );

      admin.get<RunParams>("/runs/:runId", ({ params }) => {
        const { run, lastSeq } = live(params.runId);
        return { ...run, events: lastSeq - run.firstSeq + 1 };
      });

      admin.post<RunParams>("/runs/:runId/cancel", async ({ params }) => {
        const found = live(params.runId);
        found.cancel();
        const { status } = await found.ended;
        return { runId: params.runId, status };
      });

      admin.get<RunParams>("/runs/:runId/events", async ({ params, raw }, reply) => {
        const { run } = live(params.runId);
        const left = new AbortController();
        raw.once("close", () => left.abort());
        if (raw.socket.destroyed) left.abort();
        const { runId, userId } = run;
        // Read with the sender's rights, from the run's start on.
        const follower = await runs.follow({ userId }, { runId }, { signal: left.signal });
        const events = (async function* () {
          for await (const { event } of follower) yield event;
        })();
        return jsonLines(reply, events);
      });

      adminConversationRoutes(admin, langwire);
      adminUserRoutes(admin, langwire);
      adminBackupRoute(admin, langwire);
    },
    { prefix: "/admin" },
  );

  function live(runId: string) {
    const found = runs.live.get(runId);
    if (found !== undefined) return found;
    throw new LangwireError("NOT_FOUND", { message: "No such run is in progress here." });
  }
}
