import { EventSource } from "eventsource";
import { describe, expect, test } from "vitest";
import { serverSentEvents } from "../../client/src/sse.ts";
import { LangwireError } from "../../src/protocol/errors.ts";
import type { Authenticate } from "../../src/server/access/callers.ts";
import { expectWholeRun, tokensOf } from "../support/transcript.ts";
import { collect, gate, hello, setUp, untilState } from "./set-up.ts";

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
});
