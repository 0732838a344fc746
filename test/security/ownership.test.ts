/** Nobody learns anything of another's runs and conversations, not even that they exist. */
import { randomUUID } from "node:crypto";
import type { AnyTRPCProcedure } from "@trpc/server";
import { describe, expect, test } from "vitest";
import { createChatRouter } from "../../src/api/router.ts";
import { openLangwire } from "../../src/open/open-langwire.ts";
import { startTestServer, type TestServer } from "../../src/testing/test-server.ts";
import { read, wsClient } from "../support/stock-client.ts";
import { expectWholeRun } from "../support/transcript.ts";
import { scriptedBot } from "./scripted-bot.ts";
import { type ErrorShape, openSocket, type TestSocket } from "./socket.ts";

type Ids = { readonly runId: string; readonly conversationId: string };

/**
 * What a caller can say to each procedure with ids in it, and whether a missing conversation is made
 * for them: then another's answers as a missing one does where it cannot be made.
 */
const probes: Record<string, { input: (ids: Ids) => object; makes?: true } | "no ids"> = {
  "chat.send": {
    input: ({ runId, conversationId }) => ({
      runId,
      conversationId,
      botId: "test",
      message: "whose?",
    }),
    makes: true,
  },
  "chat.follow": { input: ({ runId }) => ({ runId }) },
  "chat.watch": { input: ({ conversationId }) => ({ conversationId, lastEventId: "0" }) },
  "chat.cancel": { input: ({ runId }) => ({ runId }) },
  "conversations.create": {
    input: ({ conversationId }) => ({ conversationId, botId: "test" }),
    makes: true,
  },
  "conversations.list": "no ids",
  "conversations.get": { input: ({ conversationId }) => ({ conversationId }) },
  "conversations.messages": { input: ({ conversationId }) => ({ conversationId }) },
  "conversations.rename": { input: ({ conversationId }) => ({ conversationId, title: "mine" }) },
  "conversations.share": { input: ({ conversationId }) => ({ conversationId }) },
  "conversations.unshare": { input: ({ conversationId }) => ({ conversationId }) },
  "conversations.join": { input: ({ conversationId }) => ({ conversationId }) },
  "conversations.leave": { input: ({ conversationId }) => ({ conversationId }) },
  "conversations.delete": { input: ({ conversationId }) => ({ conversationId }) },
  "bots.list": "no ids",
};

/** What names a run alone. */
const byRun = new Set(["chat.follow", "chat.cancel"]);

async function setUp() {
  const stack = new AsyncDisposableStack();
  const gate = Promise.withResolvers<void>();
  stack.defer(gate.resolve);
  const bot = scriptedBot(() => ({ tokens: ["secret ", "words"], until: gate.promise }));
  const server = stack.use(await startTestServer({ bots: [bot] }));
  const ann = stack.use(wsClient(server.url, { userId: "ann" }));
  const send = async (run: Ids) => {
    const input = { ...run, botId: "test", message: "a secret" };
    const reading = read((options) => ann.api.chat.send.subscribe(input, options));
    await reading.until(({ type }) => type === "token");
    return reading;
  };
  const own = await socketOf(server, "ann");
  const eve = await socketOf(server, "eve");
  stack.use(own);
  stack.use(eve);
  return { server, ann, own, eve, gate, send, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

async function socketOf(server: TestServer, userId: string): Promise<TestSocket> {
  const socket = await openSocket(`${server.url}?connectionParams=1`);
  socket.send({ method: "connectionParams", data: { userId } });
  return socket;
}

let lastId = 0;

interface Answer {
  readonly error: ErrorShape | undefined;
  readonly ms: number;
}

/** One answer, whatever kind of procedure it is. */
async function ask(socket: TestSocket, path: string, input?: object): Promise<Answer> {
  const id = ++lastId;
  const method = types[path] ?? expect.fail(`no procedure ${path}`);
  const before = performance.now();
  const json = input === undefined ? {} : { input: { json: input } };
  socket.send({ id, method, params: { path, ...json } });
  const frame = await socket.frame((it) => it.id === id);
  const ms = performance.now() - before;
  if (method === "subscription") socket.send({ id, method: "subscription.stop" });
  socket.frames.length = 0;
  return { error: frame.error?.json, ms };
}

/** The procedures of the router itself, so that one which is added is tried, too. */
const types = await procedureTypes();

async function procedureTypes(): Promise<Record<string, string>> {
  await using langwire = await openLangwire({ bots: [] });
  const connection = () => ({ caller: { userId: "x" } });
  const { procedures } = createChatRouter({ ...langwire, connection })._def;
  const flat = Object.entries(procedures as unknown as Record<string, AnyTRPCProcedure>);
  return Object.fromEntries(flat.map(([path, { _def }]) => [path, _def.type]));
}

const missing = (): Ids => ({ runId: randomUUID(), conversationId: randomUUID() });

test("every procedure of the router is tried", () => {
  expect(Object.keys(probes).sort()).toEqual(Object.keys(types).sort());
});

describe("another's ids", () => {
  test("get the answer that missing ids get, from every procedure", async () => {
    await using s = await setUp();
    const running = missing();
    const ended = missing();
    await s.send(running);
    s.gate.resolve();
    await (await s.send(ended)).completed;
    const absent = await ask(s.eve, "conversations.get", missing());
    expect(absent.error).toMatchObject({ data: { langwire: { code: "NOT_FOUND" } } });
    for (const [path, probe] of Object.entries(probes)) {
      if (probe === "no ids") continue;
      const toMissing = probe.makes ? absent : await ask(s.eve, path, probe.input(missing()));
      for (const theirs of [running, ended]) {
        const mixed = { ...theirs, runId: randomUUID() };
        for (const ids of byRun.has(path) ? [theirs] : [theirs, mixed]) {
          const answer = await ask(s.eve, path, probe.input(ids));
          expect([path, answer.error]).toEqual([path, toMissing.error]);
          // Two that are alike may both be none.
          expect([path, answer.error?.data.langwire.code]).toEqual([path, "NOT_FOUND"]);
        }
      }
    }
    const wrongBot = { ...running, botId: "nobody", message: "x" };
    const noBot = await ask(s.eve, "chat.send", { ...missing(), botId: "nobody", message: "x" });
    const { error } = await ask(s.eve, "chat.send", wrongBot);
    expect(error?.data.langwire.code).toBe("NOT_FOUND");
    expect(error).toEqual(noBot.error);
    for (const path of ["conversations.list", "bots.list"]) {
      const { error } = await ask(s.eve, path, path === "bots.list" ? undefined : {});
      expect(error).toBeUndefined();
    }
    expect(await s.server.langwire.store.conversations.list("eve", { limit: 9 })).toEqual({
      items: [],
    });
  });

  test("a run of theirs in a conversation of one's own", async () => {
    await using s = await setUp();
    const theirs = missing();
    await s.send(theirs);
    const own = randomUUID();
    await ask(s.eve, "conversations.create", { conversationId: own, botId: "test" });
    const stolen = { runId: theirs.runId, conversationId: own, botId: "test", message: "x" };
    const { error } = await ask(s.eve, "chat.send", stolen);
    expect(error?.data.langwire.code).toBe("NOT_FOUND");
    expect(error).toEqual((await ask(s.eve, "chat.cancel", missing())).error);
  });

  test("and answer in about the same time", async () => {
    await using s = await setUp();
    const theirs = missing();
    s.gate.resolve();
    await (await s.send(theirs)).completed;
    for (const [path, probe] of Object.entries(probes)) {
      if (probe === "no ids" || probe.makes) continue;
      const times = { theirs: [] as number[], missing: [] as number[] };
      for (let round = 0; round < 40; round++) {
        times.missing.push((await ask(s.eve, path, probe.input(missing()))).ms);
        times.theirs.push((await ask(s.eve, path, probe.input(theirs))).ms);
      }
      const ratio = quick(times.theirs) / quick(times.missing);
      expect([path, ratio > 1 / 4 && ratio < 4]).toEqual([path, true]);
    }
  });

  test("do not stop what they name", async () => {
    await using s = await setUp();
    const theirs = missing();
    const reading = await s.send(theirs);
    for (const [path, probe] of Object.entries(probes)) {
      if (probe !== "no ids") await ask(s.eve, path, probe.input(theirs));
    }
    s.gate.resolve();
    expect(expectWholeRun(await reading.completed)).toMatchObject({ text: "secret words" });
    const conversation = await s.ann.api.conversations.get.query(theirs);
    expect(conversation).toMatchObject({ owned: true, shared: false, title: "a secret" });
  });
});

/** What it takes when nothing else is in the way: the machine may have more to do than this test. */
function quick(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 3] ?? Number.NaN;
}

describe("a room", () => {
  test("whoever has joined sees every run; only the owner changes it", async () => {
    await using s = await setUp();
    const run = missing();
    await s.send(run);
    const { conversationId } = run;
    const joining = await ask(s.eve, "conversations.join", { conversationId });
    expect(joining.error?.data.langwire.code).toBe("NOT_FOUND");
    await s.ann.api.conversations.share.mutate({ conversationId });
    const getting = await ask(s.eve, "conversations.get", { conversationId });
    expect(getting.error?.data.langwire.code).toBe("NOT_FOUND");
    using eve = wsClient(s.server.url, { userId: "eve" });
    await eve.api.conversations.join.mutate({ conversationId });
    const watching = read((options) => eve.api.chat.watch.subscribe({ conversationId }, options));
    await watching.until(({ type }) => type === "token");
    for (const path of ["rename", "share", "unshare", "delete"]) {
      const input = { conversationId, title: "eve's" };
      const { error } = await ask(s.eve, `conversations.${path}`, input);
      expect([path, error?.data.langwire.code]).toEqual([path, "NOT_FOUND"]);
    }
    s.gate.resolve();
    await watching.until(({ type }) => type === "runEnd");
    const next = { ...missing(), conversationId, botId: "test", message: "and now?" };
    const sent = await read((options) => eve.api.chat.send.subscribe(next, options)).completed;
    expect(expectWholeRun(sent).status).toBe("completed");
    watching.stop();
  });

  test.each(["leave", "unshare", "delete"] as const)("%s ends the watch at once", async (how) => {
    await using s = await setUp();
    const run = missing();
    await s.send(run);
    const { conversationId } = run;
    await s.ann.api.conversations.share.mutate({ conversationId });
    using eve = wsClient(s.server.url, { userId: "eve" });
    await eve.api.conversations.join.mutate({ conversationId });
    const watching = read((options) => eve.api.chat.watch.subscribe({ conversationId }, options));
    const { runId } = run;
    const following = read((options) => eve.api.chat.follow.subscribe({ runId }, options));
    await Promise.all([watching, following].map((it) => it.until(({ type }) => type === "token")));
    const client = how === "leave" ? eve : s.ann;
    await client.api.conversations[how].mutate({ conversationId });
    const notFound = { data: { langwire: { code: "NOT_FOUND" } } };
    await expect(watching.completed).rejects.toMatchObject(notFound);
    await expect(following.completed).rejects.toMatchObject(notFound);
    const seen = watching.received.length;
    s.gate.resolve();
    await expect.poll(() => s.server.langwire.runs.live.size).toBe(0);
    expect(watching.received).toHaveLength(seen);
    const again = read((options) => eve.api.chat.watch.subscribe({ conversationId }, options));
    await expect(again.completed).rejects.toMatchObject(notFound);
    const followed = read((options) => eve.api.chat.follow.subscribe({ runId }, options));
    await expect(followed.completed).rejects.toMatchObject(notFound);
  });

  test("whoever is shut out while they come in reads nothing", async () => {
    await using s = await setUp();
    const run = missing();
    await s.send(run);
    const { conversationId } = run;
    const { runs, store } = s.server.langwire;
    await store.conversations.share(conversationId, "ann");
    await store.conversations.join(conversationId, "eve");
    const running = store.runs.running.bind(store.runs);
    store.runs.running = async (id) => {
      await store.conversations.unshare(id, "ann");
      await runs.membersChanged(id);
      return await running(id);
    };
    const watching = await runs.watch({ userId: "eve" }, { conversationId, lastEventId: "0" });
    await expect(watching.next()).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  test("whoever is shut out while they begin to follow a run reads nothing", async () => {
    await using s = await setUp();
    const run = missing();
    await s.send(run);
    const { runId, conversationId } = run;
    const { runs, store } = s.server.langwire;
    await store.conversations.share(conversationId, "ann");
    await store.conversations.join(conversationId, "eve");
    const get = store.runs.get.bind(store.runs);
    store.runs.get = async (...asked) => {
      const found = await get(...asked);
      await store.conversations.unshare(conversationId, "ann");
      await runs.membersChanged(conversationId);
      return found;
    };
    const following = await runs.follow({ userId: "eve" }, { runId });
    await expect(following.next()).rejects.toMatchObject({ code: "NOT_FOUND" });
  });
});
