/**
 * A server that asks for tokens, with every route that the shipped program has, and conversations on
 * it in every state that a caller may find.
 */
import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { FastifyInstance } from "fastify";
import { openLangwire } from "../../../src/open/open-langwire.ts";
import { verifyTokens } from "../../../src/server/access/auth.ts";
import { adminRoutes } from "../../../src/server/admin/admin.ts";
import { createServer } from "../../../src/server/app.ts";
import { serveDocs } from "../../../src/server/docs-page.ts";
import { serveFavicon } from "../../../src/server/favicon.ts";
import { Metrics, metricsRoute } from "../../../src/server/metrics/metrics.ts";
import { scriptedBot } from "../scripted-bot.ts";
import { secret as tokenSecret } from "../tokens.ts";
import type { KnownCaller, PlaceKind } from "./rows.ts";

/** One conversation with a run that has ended and one in progress, as `kind` says. */
export interface Place {
  readonly kind: PlaceKind;
  readonly conversationId: string;
  readonly ended: string;
  readonly running: string;
  /** Is in every message and answer there. */
  readonly secret: string;
  readonly title: string;
  /** The callers' ids: each place has callers of its own, so that no limit and no list is shared. */
  readonly users: Readonly<Record<KnownCaller, string>>;
  /** What a caller without the right to it must not have changed. */
  state(): Promise<unknown>;
  /** The run in progress goes on to its end. */
  letGo(): void;
  [Symbol.asyncDispose](): Promise<void>;
}

export const operatorTokens = { admin: "the operator's own token", metrics: "Prometheus's token" };

export interface Setting extends AsyncDisposable {
  readonly app: FastifyInstance;
  readonly url: string;
  readonly httpUrl: string;
  place(kind: PlaceKind): Promise<Place>;
}

const documentsDir = fileURLToPath(new URL("../../../client/generated", import.meta.url));
const iconFile = fileURLToPath(new URL("../../../client/page/icon.svg", import.meta.url));
const unlimited = Number.POSITIVE_INFINITY;
/** All callers of this suite are one address. */
const connectionLimits = {
  maxHttpRequestsPerSecond: unlimited,
  maxHttpConnectionsPerAddress: unlimited,
  maxSocketsPerAddress: unlimited,
};

export async function openSetting(): Promise<Setting> {
  await using opening = new AsyncDisposableStack();
  const gates = new Map<string, PromiseWithResolvers<void>>();
  const bot = scriptedBot((messages) => {
    const text = String(messages.at(-1)?.text);
    return { tokens: [text, "."], until: gates.get(text)?.promise };
  });
  const folder = await mkdtemp(join(tmpdir(), "langwire-matrix-"));
  opening.defer(() => rm(folder, { recursive: true }));
  const [pageDir, dataDir] = [join(folder, "page"), join(folder, "data")];
  await mkdir(pageDir);
  await writeFile(join(pageDir, "index.html"), "<!doctype html><title>Chat</title>");
  const langwire = opening.use(await openLangwire({ bots: [bot], dataDir }));
  const { runs, store } = langwire;
  const authenticate = verifyTokens({ key: { secret: tokenSecret } });
  const { app, close } = await createServer({ langwire, authenticate, connectionLimits, pageDir });
  opening.defer(() => close(0));
  await serveDocs(app, documentsDir);
  await serveFavicon(app, iconFile);
  adminRoutes(app, langwire, operatorTokens.admin);
  metricsRoute(app, new Metrics(), operatorTokens.metrics);
  await app.listen({ host: "127.0.0.1", port: 0 });
  opening.defer(() => {
    for (const gate of gates.values()) gate.resolve();
  });
  const { port } = app.server.address() as AddressInfo;
  const opened = opening.move();

  async function place(kind: PlaceKind): Promise<Place> {
    const conversationId = randomUUID();
    const [ended, running] = [randomUUID(), randomUUID()];
    const secret = `secret-${randomUUID()}`;
    const title = `title-${randomUUID()}`;
    const id = randomUUID();
    const users = {
      owner: `owner-${id}`,
      member: `member-${id}`,
      removed: `removed-${id}`,
      stranger: `stranger-${id}`,
    };
    const { owner, member, removed } = users;
    if (kind !== "neverWas") {
      const { conversations } = store;
      const send = async (runId: string, message: string) =>
        await runs.send(
          { userId: owner },
          { runId, conversationId, botId: bot.id, message, ifBusy: "reject" },
        );
      for await (const _ of await send(ended, secret));
      await conversations.rename(conversationId, owner, title);
      await conversations.share(conversationId, owner);
      await conversations.join(conversationId, removed);
      await conversations.unshare(conversationId, owner);
      if (kind === "shared" || kind === "gone") {
        await conversations.share(conversationId, owner);
        await conversations.join(conversationId, member);
      }
      const held = `${secret} held`;
      gates.set(held, Promise.withResolvers());
      const reading = await send(running, held);
      for await (const { event } of reading) if (event.type === "token") break;
      if (kind === "gone") {
        await conversations.delete(conversationId, owner);
        runs.stop(running);
        await runs.live.get(running)?.ended;
      }
    }
    const { administration } = store;
    return {
      ...{ kind, conversationId, ended, running, secret, title, users },
      state: async () => ({
        conversation: await administration.conversation(conversationId),
        members: await all(administration.members(conversationId)),
        runs: await all(administration.runs(conversationId)),
        live: runs.live.has(running),
        lists: await Promise.all(
          Object.values(users).map((user) => store.conversations.list(user, { limit: 9 })),
        ),
      }),
      letGo: () => gates.get(`${secret} held`)?.resolve(),
      [Symbol.asyncDispose]: async () => {
        gates.get(`${secret} held`)?.resolve();
        await runs.live.get(running)?.ended;
      },
    };
  }

  return {
    app,
    url: `ws://127.0.0.1:${port}/trpc`,
    httpUrl: `http://127.0.0.1:${port}/trpc`,
    place,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const value of values) found.push(value);
  return found;
}
