import { EventSource } from "eventsource";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { serverSentEvents } from "../../client/src/sse.ts";
import { LangwireError } from "../../src/protocol/errors.ts";
import type { Authenticate } from "../../src/server/access/identify.ts";
import { expectWholeRun, tokensOf } from "../support/transcript.ts";
import { collect } from "./collect.ts";
import { gate, hello, setUp, untilState } from "./set-up.ts";

const client = { transport: serverSentEvents, EventSource };

describe("over server-sent events", () => {
  test("a run is the same", async () => {
    const { client: sse } = await setUp({ client });
    const run = sse.send(hello);
    const events = await collect(run);
    const received = events.map((event, index) => ({ id: String(index), event }));
    expect(tokensOf(received)).toBe(expectWholeRun(received).text);
    expect(await run.text).toBe("You said: hello");
    expect((await sse.conversations.list()).items).toHaveLength(1);
  });

  test("headers of a program's own go with everything; where none would, that is refused", async () => {
    const authenticate: Authenticate = ({ headers }) => {
      if (headers.cookie !== "session=ann") throw new LangwireError("UNAUTHORIZED");
      return { userId: "ann" };
    };
    const headers = () => ({ cookie: "session=ann" });
    const { connect } = await setUp({ server: { authenticate }, client });
    const sse = connect({ headers });
    expect(await sse.send(hello).text).toBe("You said: hello");
    expect((await sse.conversations.list()).items).toHaveLength(1);
    await expect(connect().bots.list()).rejects.toMatchObject({ code: "UNAUTHORIZED" });
    expect(() => connect({ headers, transport: undefined })).toThrow(
      "A WebSocket sends no headers",
    );
    vi.stubGlobal("EventSource", EventSource);
    onTestFinished(() => void vi.unstubAllGlobals());
    const native = { headers, EventSource: undefined };
    expect(() => connect(native)).toThrow("A browser's EventSource sends no headers");
  });

  test("a cancelled run has the text that there was", async () => {
    const { client: sse, provider } = await setUp({ client });
    provider.answer({ steps: ["enough", "stall"] });
    const run = sse.send(hello);
    for await (const event of run) if (event.type === "token") break;
    expect(await run.cancel()).toBe("cancelled");
    expect(await run.text).toBe("enough");
  });

  test("a lost connection is replaced, and nothing is lost or comes twice", async () => {
    const { client: sse, provider, proxy } = await setUp({ client });
    const middle = gate();
    provider.answer({ steps: ["a", { until: middle.passed }, "b"] });
    const run = sse.send(hello);
    for await (const event of run) if (event.type === "token") break;
    proxy.cut();
    middle.open();
    const events = await collect(run);
    const received = events.map((event, index) => ({ id: String(index), event }));
    expect(tokensOf(received)).toBe("ab");
    expect(expectWholeRun(received).text).toBe("ab");
    expect(provider.calls).toHaveLength(1);
  });

  test("a server that is not there is waited for", async () => {
    const { client: sse, proxy } = await setUp({ client });
    proxy.refuse();
    const run = sse.send(hello);
    await untilState(sse, "connecting");
    proxy.accept();
    expect(await run.text).toBe("You said: hello");
    await untilState(sse, "idle");
  });

  test.each([
    ["NOT_FOUND", { botId: "nobody" }],
    ["BAD_INPUT", { runId: "not a uuid" }],
  ])("a run is refused with %s", async (code, input) => {
    const { client: sse } = await setUp({ client });
    await expect(sse.send({ ...hello, ...input }).text).rejects.toMatchObject({ code });
  });

  test("a refusal that may pass is told, too, and not waited out", async () => {
    const server = { runLimits: { maxLiveRuns: 1 } };
    const { client: sse, provider } = await setUp({ server, client });
    provider.answer({ steps: ["stall"] });
    const first = sse.send(hello);
    for await (const { type } of first) if (type === "runStart") break;
    await expect(sse.send(hello).text).rejects.toMatchObject({ code: "OVERLOADED" });
    await first.cancel();
  });

  test("a token goes along with runs and with questions, and a refusal says why", async () => {
    const authenticate: Authenticate = ({ connectionParams, headers }) => {
      const token = connectionParams?.token ?? headers.authorization;
      if (token !== "good" && token !== "Bearer good") throw new LangwireError("UNAUTHORIZED");
      return { userId: "somebody" };
    };
    const { connect } = await setUp({ server: { authenticate }, client });
    const good = connect({ token: () => "good" });
    expect(await good.send(hello).text).toBe("You said: hello");
    expect((await good.conversations.list()).items).toHaveLength(1);
    const bad = connect({ token: "bad" });
    await expect(bad.send(hello).text).rejects.toMatchObject({ code: "UNAUTHORIZED" });
    await expect(bad.bots.list()).rejects.toMatchObject({ code: "UNAUTHORIZED" });
  });

  test("a stream that has died without a word is replaced, and goes on behind the last event", async () => {
    const {
      client: sse,
      provider,
      proxy,
    } = await setUp({
      client: { ...client, pingAfterMs: 100, pongTimeoutMs: 200 },
    });
    const middle = gate();
    provider.answer({ steps: ["a", { until: middle.passed }, "b"] });
    const run = sse.send(hello);
    for await (const event of run) if (event.type === "token") break;
    proxy.pause();
    middle.open();
    await proxy.connected();
    proxy.resume();
    expect(await run.text).toBe("ab");
    expect(provider.calls).toHaveLength(1);
  });

  test("so is one that is not answered at all", async () => {
    const { client: sse, proxy } = await setUp({ client: { ...client, connectTimeoutMs: 200 } });
    proxy.pause();
    const run = sse.send(hello);
    await proxy.connected();
    await proxy.connected();
    proxy.resume();
    expect(await run.text).toBe("You said: hello");
  });

  test("one that was silent is opened anew when the network comes back", async () => {
    const page = new EventTarget();
    vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
    onTestFinished(() => void vi.unstubAllGlobals());
    const { client: sse, provider, proxy } = await setUp({ client });
    const middle = gate();
    provider.answer({ steps: ["a", { until: middle.passed }, "b"] });
    const run = sse.send(hello);
    for await (const event of run) if (event.type === "token") break;
    proxy.pause();
    middle.open();
    const online = setInterval(() => page.dispatchEvent(new Event("online")), 100);
    await proxy.connected();
    clearInterval(online);
    proxy.resume();
    expect(await run.text).toBe("ab");
  });

  test("a long event on a slow link arrives: the silence before it is allowed to grow", async () => {
    const {
      client: sse,
      provider,
      proxy,
    } = await setUp({
      client: { ...client, pingAfterMs: 100, pongTimeoutMs: 300 },
    });
    const text = "langsam ".repeat(25_000);
    provider.answer({ steps: [text] });
    proxy.throttle(200_000);
    expect(await sse.send(hello).text).toBe(text);
  });

  test("a run that takes longer than its token goes on with a fresh one", async () => {
    let valid = "first";
    const refused = Promise.withResolvers<void>();
    const authenticate: Authenticate = ({ connectionParams, headers }) => {
      const shown = connectionParams?.token ?? String(headers.authorization).replace("Bearer ", "");
      if (shown !== valid) {
        refused.resolve();
        throw new LangwireError("UNAUTHORIZED");
      }
      return { userId: "somebody", expiresAtMs: Date.now() + (valid === "first" ? 500 : 60_000) };
    };
    const { client: sse, provider } = await setUp({
      server: { authenticate },
      client: { ...client, token: () => valid },
    });
    const middle = gate();
    provider.answer({ steps: ["a", { until: middle.passed }, "b"] });
    const run = sse.send(hello);
    for await (const event of run) if (event.type === "token") break;
    valid = "second";
    // The server ends the stream, the EventSource comes back with what it had, and is refused.
    await refused.promise;
    middle.open();
    expect(await run.text).toBe("ab");
  });

  test.each([
    ["a token that cannot be had", { token: () => Promise.reject(new Error("logged out")) }],
    ["a token that is refused twice", { token: () => "bad" }],
  ])("%s is told as what it is", async (_what, options) => {
    const authenticate: Authenticate = () => {
      throw new LangwireError("UNAUTHORIZED");
    };
    const { connect } = await setUp({ server: { authenticate }, client });
    const refused = { code: "UNAUTHORIZED", retryable: false };
    await expect(connect(options).send(hello).text).rejects.toMatchObject(refused);
    await expect(connect(options).bots.list()).rejects.toMatchObject(refused);
  });

  test("a wrong address is told as what it is", async () => {
    const { connect, server } = await setUp({ client });
    const lost = connect({ url: server.httpUrl.replace("/trpc", "/api") });
    const nothing = { code: "NOT_FOUND", status: 404 };
    await expect(lost.send(hello).text).rejects.toMatchObject(nothing);
  });

  test("a runtime without an EventSource is told what is missing", async () => {
    const { connect } = await setUp({ client: { transport: serverSentEvents } });
    await expect(connect().send(hello).text).rejects.toMatchObject({
      code: "BAD_INPUT",
      message: "No EventSource here: pass a class as an option.",
    });
  });
});
