/** What a client makes of itself: runs and watches that have its connection, its way to the server and their own signal. */
import { describe, expect, test } from "vitest";
import type { Connection } from "../../client/src/connection/connection.ts";
import { createClient } from "../../client/src/index.ts";
import type { CallOptions } from "../../client/src/types.ts";
import { collect } from "./collect.ts";
import { now, type ScriptedLink, scriptedLink, wait } from "./scripted-link.ts";

const [runId, conversationId] = ["5f942222-bc48-4f44-9804-7017f73f66ae", "c"];
/** Procedures that are not called. */
const uncalled: object = new Proxy({}, { get: () => uncalled });

function setUp() {
  const link = scriptedLink();
  const cancel = async (input: unknown) => {
    link.say(`cancels ${JSON.stringify(input)}`);
    return { status: "cancelled" };
  };
  const { chat } = link.transport.trpc;
  const trpc = {
    ...{ conversations: uncalled, bots: uncalled },
    chat: { ...chat, cancel: { mutate: cancel } },
  };
  const given: Connection[] = [];
  const client = createClient({
    url: "ws://x",
    backoff: { baseMs: 200, maxMs: 1_000 },
    transport: (_options, connection) => {
      given.push(connection);
      return { ...link.transport, trpc: trpc as never, close: async () => link.say("closes") };
    },
  });
  const [connection] = given;
  if (connection === undefined) throw new Error("no transport was opened");
  return { link, client, connection };
}

type Client = ReturnType<typeof setUp>["client"];

/** What is asked for, and how what came of it ends. */
const made: Record<
  string,
  {
    readonly input: Record<string, unknown>;
    start(client: Client, options?: CallOptions): { ending: Promise<unknown> };
  }
> = {
  "a run that is sent": {
    input: { runId, conversationId, botId: "b", message: "hi" },
    start: (client, options) => {
      const run = client.send({ runId, conversationId, botId: "b", message: "hi" }, options);
      return { ending: run.ended };
    },
  },
  "a run that is followed": {
    input: { runId },
    start: (client, options) => ({ ending: client.follow({ runId }, options).ended }),
  },
  "a watch": {
    input: { conversationId },
    start: (client, options) => ({ ending: collect(client.watch({ conversationId }, options)) }),
  },
};

describe.each(Object.entries(made))("%s", (what, { input, start }) => {
  // A watch ends with its client; a run that is left has no ending to tell.
  const left = what === "a watch" ? [] : expect.objectContaining({ code: "CLOSED" });
  const leaves = ({ transcript }: ScriptedLink) => transcript.filter((it) => it.endsWith("leaves"));

  test("asks at once, by the client's connection, and again after the client's waits", async () => {
    const { link, client, connection } = setUp();
    expect(connection.needed).toBe(false);
    const { ending } = start(client);
    expect(link.server.input).toEqual(input);
    expect(client.connection).toBe(connection);
    expect(connection.needed).toBe(true);
    link.server.fails(new Error("lost"));
    await wait(99);
    expect(link.asked).toHaveLength(1);
    await wait(1);
    expect(link.asked).toHaveLength(2);
    expect(await now(ending)).toBe("waits");
  });

  test("ends with its own signal alone", async () => {
    const { link, client, connection } = setUp();
    const stop = new AbortController();
    const { ending } = start(client, { signal: stop.signal });
    const other = start(client).ending;
    const reason = new Error("Enough.");
    stop.abort(reason);
    expect(await now(ending)).toMatchObject({ code: "CLOSED", cause: reason });
    expect(await now(other)).toBe("waits");
    expect([leaves(link).length, connection.needed]).toEqual([1, true]);
  });

  test("ends with the client's close", async () => {
    const { link, client, connection } = setUp();
    const { ending } = start(client);
    const states: string[] = [];
    client.connection.subscribe(({ state }) => states.push(state));
    await client.close();
    expect(await now(ending)).toEqual(left);
    expect([leaves(link).length, connection.needed, states]).toEqual([1, false, ["closed"]]);
    expect(link.transcript.at(-1)).toBe("0 closes");
  });
});

test.each(["send", "follow"] as const)("the cancel of a run by %s is the client's", async (by) => {
  const { link, client } = setUp();
  const run =
    by === "send" ? client.send({ runId, botId: "b", message: "" }) : client.follow({ runId });
  link.server.received();
  expect(await now(run.cancel())).toBe("cancelled");
  expect(link.transcript.at(-1)).toBe(`0 cancels {"runId":"${runId}"}`);
});
