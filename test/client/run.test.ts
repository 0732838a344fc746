import { describe, expect, test } from "vitest";
import { LangwireClientError } from "../../client/src/index.ts";
import { expectWholeRun } from "../support/transcript.ts";
import { collect } from "./collect.ts";
import { gate, hello, setUp } from "./set-up.ts";

const numbered = (events: readonly Parameters<typeof expectWholeRun>[0][number]["event"][]) =>
  events.map((event, index) => ({ id: String(index), event }));

describe("a run", () => {
  test("is an iterable of events, and a promise of the answer", async () => {
    const { client, provider } = await setUp();
    provider.answer({ steps: ["炭酸", "水 🫧"] });
    const run = client.send(hello);
    const events = await collect(run);
    expect(events[0]).toMatchObject({
      type: "runStart",
      runId: run.id,
      conversationId: run.conversationId,
    });
    expect(expectWholeRun(numbered(events)).text).toBe("炭酸水 🫧");
    expect(await run.text).toBe("炭酸水 🫧");
    expect(await run.ended).toMatchObject({ status: "completed", usage: { outputTokens: 2 } });
  });

  test("can be iterated several times, also late, and each sees all of it", async () => {
    const { client, provider } = await setUp();
    const middle = gate();
    provider.answer({ steps: ["a", { until: middle.passed }, "b"] });
    const run = client.send(hello);
    const types: string[] = [];
    for await (const event of run) {
      types.push(event.type);
      if (event.type === "token") break;
    }
    const [second, third] = [collect(run), collect(run)];
    middle.open();
    expect(await second).toEqual(await third);
    expect((await second).map(({ type }) => type).slice(0, types.length)).toEqual(types);
    const late = await collect(run);
    expect(expectWholeRun(numbered(late)).text).toBe("ab");
    // By then both pieces were there, and a reader that lags gets them as one.
    expect(late.filter(({ type }) => type === "token")).toMatchObject([{ text: "ab" }]);
  });

  test("shows its answer so far", async () => {
    const { client, provider } = await setUp();
    const middle = gate();
    provider.answer({ steps: ["so ", "far", { until: middle.passed }, " and further"] });
    const run = client.send(hello);
    for await (const event of run) if (event.type === "token" && run.answer.endsWith("far")) break;
    expect(run.answer).toBe("so far");
    middle.open();
    expect(await run.text).toBe("so far and further");
    expect(run.answer).toBe("so far and further");
  });

  test("that failed rejects its text with the code and the partial answer, and nothing else", async () => {
    const { client, provider } = await setUp();
    provider.answer({ steps: ["half an", "cut"] });
    const run = client.send(hello);
    const error = await run.text.catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(LangwireClientError);
    expect(error).toMatchObject({
      code: "PROVIDER_ERROR",
      retryable: true,
      partialText: "half an",
    });
    expect(await run.ended).toMatchObject({ status: "failed", error: { code: "PROVIDER_ERROR" } });
    expect((await collect(run)).at(-1)).toEqual(await run.ended);
  });

  test("that was cancelled has the text that there was", async () => {
    const { client, provider } = await setUp();
    provider.answer({ steps: ["enough", "stall"] });
    const run = client.send(hello);
    for await (const event of run) if (event.type === "token") break;
    expect(await run.cancel()).toBe("cancelled");
    expect(await run.text).toBe("enough");
    expect(await run.ended).toMatchObject({ status: "cancelled" });
    expect(await provider.calls[0]?.closed).toBe("aborted");
  });

  test("can be cancelled at once, before the server has answered", async () => {
    const { client, provider } = await setUp();
    provider.answer({ steps: ["stall"] });
    expect(await client.send(hello).cancel()).toBe("cancelled");
  });

  test("is cancelled by its id, by a client that does not follow it", async () => {
    const { client, connect, provider } = await setUp();
    provider.answer({ steps: ["enough", "stall"] });
    const run = client.send(hello);
    for await (const event of run) if (event.type === "token") break;
    const notFound = { code: "NOT_FOUND" };
    await expect(connect({ userId: "eve" }).cancel(run.id)).rejects.toMatchObject(notFound);
    const other = connect();
    expect(await other.cancel(run.id)).toBe("cancelled");
    expect(await run.text).toBe("enough");
    expect(await provider.calls[0]?.closed).toBe("aborted");
    expect(await other.cancel(run.id)).toBe("cancelled");
    await expect(other.cancel(crypto.randomUUID())).rejects.toMatchObject(notFound);
    await other.close();
    await expect(other.cancel(run.id)).rejects.toMatchObject({ code: "CLOSED" });
  });

  test("that nobody looks at does not fail the process", async () => {
    const { client } = await setUp();
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => unhandled.push(reason);
    process.on("unhandledRejection", note);
    client.send({ ...hello, botId: "nobody" });
    await client.send({ ...hello, botId: "nobody either" }).ended.catch(() => {});
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", note);
    expect(unhandled).toEqual([]);
  });

  test("sends the types that were asked for", async () => {
    const { client } = await setUp();
    const events = await collect(client.send({ ...hello, only: ["llmEnd"] }));
    expect(events.map(({ type }) => type)).toEqual(["llmEnd", "runEnd"]);
  });
});

describe("a refused run", () => {
  test.each([
    ["NOT_FOUND", { botId: "nobody" }],
    ["BAD_INPUT", { runId: "not a uuid" }],
    ["BAD_INPUT", { message: "" }],
    ["BAD_INPUT", { message: "x".repeat(300 * 1024) }],
  ])("rejects with %s, and its iterations throw the same", async (code, input) => {
    const { client } = await setUp();
    const run = client.send({ ...hello, ...input });
    await expect(run.text).rejects.toMatchObject({ code, retryable: false, partialText: "" });
    await expect(run.ended).rejects.toBeInstanceOf(LangwireClientError);
    await expect(collect(run)).rejects.toMatchObject({ code });
    await expect(run.cancel()).rejects.toMatchObject({ code });
  });

  test("says when the conversation is busy, unless it interrupts", async () => {
    const { client, provider } = await setUp();
    provider.answer({ steps: ["one", "stall"] });
    provider.answer({ steps: ["two"] });
    const first = client.send(hello);
    for await (const event of first) if (event.type === "token") break;
    const { conversationId } = first;
    await expect(client.send({ ...hello, conversationId }).text).rejects.toMatchObject({
      code: "CONVERSATION_BUSY",
      retryable: true,
    });
    const second = client.send({ ...hello, conversationId, ifBusy: "interrupt" });
    expect(await second.text).toBe("two");
    expect(await first.text).toBe("one");
  });

  test("when the server has too much to do, tells when to come again", async () => {
    const { client, provider } = await setUp({ server: { runLimits: { maxLiveRuns: 1 } } });
    provider.answer({ steps: ["stall"] });
    const first = client.send(hello);
    for await (const { type } of first) if (type === "runStart") break;
    await expect(client.send(hello).text).rejects.toMatchObject({
      code: "OVERLOADED",
      retryable: true,
      retryAfterMs: expect.any(Number),
    });
    await first.cancel();
  });
});

describe("following a run", () => {
  test("by its id: all of it, and what is left of it behind an event", async () => {
    const { client, connect, provider } = await setUp();
    const middle = gate();
    provider.answer({ steps: ["a", { until: middle.passed }, "b"] });
    const run = client.send(hello);
    for await (const event of run) if (event.type === "token") break;
    const other = connect();
    const followed = other.follow({ runId: run.id });
    for await (const event of followed) if (event.type === "token") break;
    expect(followed.answer).toBe("a");
    const rest = other.follow({ runId: run.id, lastEventId: followed.lastEventId });
    middle.open();
    expect(expectWholeRun(numbered(await collect(followed))).text).toBe("ab");
    expect((await collect(rest))[0]).toMatchObject({ type: "token", text: "b" });
    expect(await followed.ended).toEqual(await run.ended);
    expect(provider.calls).toHaveLength(1);
  });

  test("starts nothing, and says what it cannot find", async () => {
    const { client, connect, provider } = await setUp();
    const unknown = client.follow({ runId: crypto.randomUUID() });
    await expect(unknown.text).rejects.toMatchObject({ code: "NOT_FOUND", retryable: false });
    await expect(collect(unknown)).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(unknown.cancel()).rejects.toMatchObject({ code: "NOT_FOUND" });
    expect((await client.conversations.list()).items).toEqual([]);
    expect(provider.calls).toHaveLength(0);
    const run = client.send(hello);
    await run.ended;
    const eve = connect({ userId: "eve" });
    await expect(eve.follow({ runId: run.id }).text).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  test("goes on over a lost socket, can be left, and can stop the run", async () => {
    const { client, connect, provider, proxy } = await setUp();
    provider.answer({ steps: ["a", "stall"] });
    const run = client.send(hello);
    for await (const event of run) if (event.type === "token") break;
    const other = connect();
    const followed = other.follow({ runId: run.id });
    for await (const event of followed) if (event.type === "token") break;
    const leaving = new AbortController();
    const left = other.follow({ runId: run.id }, { signal: leaving.signal });
    leaving.abort();
    await expect(left.ended).rejects.toMatchObject({ code: "CLOSED" });
    proxy.cut();
    expect(await followed.cancel()).toBe("cancelled");
    expect(await followed.text).toBe("a");
    expect((await collect(followed)).filter(({ type }) => type === "token")).toHaveLength(1);
    expect(await run.ended).toMatchObject({ status: "cancelled" });
  });

  test("on a server from before it had the verb: as a run that is not there", async () => {
    /** Asks for what this server does not have, either. */
    class AskingTooEarly extends WebSocket {
      override send(data: Parameters<WebSocket["send"]>[0]): void {
        super.send(typeof data === "string" ? data.replace("chat.follow", "chat.later") : data);
      }
    }
    const { client, connect } = await setUp();
    const run = client.send(hello);
    await run.ended;
    const followed = connect({ WebSocket: AskingTooEarly }).follow({ runId: run.id });
    await expect(followed.text).rejects.toMatchObject({ code: "NOT_FOUND" });
  });
});

describe("attaching again", () => {
  test("a run goes on when its client is gone, and another takes it up by its JSON", async () => {
    const { client, connect, provider } = await setUp();
    const middle = gate();
    provider.answer({ steps: ["a", { until: middle.passed }, "b"] });
    const run = client.send(hello);
    for await (const event of run) if (event.type === "token") break;
    const saved = JSON.stringify(run);
    await client.close();
    await expect(run.text).rejects.toMatchObject({ code: "CLOSED", partialText: "a" });
    middle.open();
    const again = connect().send(JSON.parse(saved));
    expect(expectWholeRun(numbered(await collect(again))).text).toBe("ab");
    expect(provider.calls).toHaveLength(1);
  });

  test("behind an event, only what came after it; and the answer is whole all the same", async () => {
    const { client, provider } = await setUp();
    const middle = gate();
    provider.answer({ steps: ["a", { until: middle.passed }, "b"] });
    const run = client.send(hello);
    for await (const event of run) if (event.type === "token") break;
    const again = client.send({ ...run.toJSON(), lastEventId: run.lastEventId });
    middle.open();
    const events = await collect(again);
    expect(events[0]).toMatchObject({ type: "token", text: "b" });
    expect(await again.text).toBe("ab");
  });

  test("behind the last event there is still the ending", async () => {
    const { client } = await setUp();
    const run = client.send(hello);
    await run.ended;
    const again = client.send({ ...run.toJSON(), lastEventId: run.lastEventId });
    expect(await again.text).toBe(await run.text);
    expect((await collect(again)).map(({ type }) => type)).toEqual(["runEnd"]);
  });

  test("a signal ends the following, not the run", async () => {
    const { client, provider } = await setUp();
    const middle = gate();
    provider.answer({ steps: ["a", { until: middle.passed }, "b"] });
    const controller = new AbortController();
    const run = client.send(hello, { signal: controller.signal });
    for await (const event of run) if (event.type === "token") break;
    controller.abort();
    await expect(run.ended).rejects.toMatchObject({ code: "CLOSED" });
    middle.open();
    expect(await client.send(run.toJSON()).text).toBe("ab");
  });
});

describe("a closed client", () => {
  test("refuses everything", async () => {
    const { client } = await setUp();
    await client.send(hello).ended;
    await client.close();
    expect(client.connection.state).toBe("closed");
    await expect(client.send(hello).text).rejects.toMatchObject({ code: "CLOSED" });
    await expect(client.bots.list()).rejects.toMatchObject({ code: "CLOSED" });
    expect(await collect(client.watch({ conversationId: crypto.randomUUID() }))).toEqual([]);
    expect(client.connection.state).toBe("closed");
  });
});

describe("conversations and bots", () => {
  test("are listed, made, read, renamed and deleted", async () => {
    const { client } = await setUp();
    const { conversationId } = await client.conversations.create({ botId: "test", title: "One" });
    await client.send({ ...hello, conversationId }).ended;
    const { items } = await client.conversations.messages({ conversationId });
    expect(items.map(({ role }) => role)).toEqual(["human", "ai"]);
    await client.conversations.rename({ conversationId, title: "Two" });
    expect((await client.conversations.list()).items).toMatchObject([{ title: "Two" }]);
    await client.conversations.delete({ conversationId });
    await expect(client.conversations.get({ conversationId })).rejects.toMatchObject({
      name: "LangwireClientError",
      code: "NOT_FOUND",
    });
    expect(await client.bots.list()).toMatchObject([
      { id: "test", title: "Test", maxMessageLength: 32_000 },
    ]);
  });

  test("a call that is aborted is closed", async () => {
    const { client } = await setUp();
    const reason = new Error("Enough.");
    await expect(client.bots.list({ signal: AbortSignal.abort(reason) })).rejects.toMatchObject({
      code: "CLOSED",
      cause: reason,
    });
  });
});
