/** What gets out of a bot's code ends at most its run; what gets out of ours ends the process. */
import { type ChildProcess, fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { Metrics } from "../../src/server/metrics/metrics.ts";
import { read, type StockClient, wsClient } from "../support/stock-client.ts";
import { expectWholeRun } from "../support/transcript.ts";
import { startChildServer, temporaryFolder } from "./child-server.ts";

interface Stray {
  readonly botId: string;
  readonly kind: string;
  readonly said: string;
}

class StrayServer implements Disposable {
  readonly client: StockClient;
  readonly strays: Stray[] = [];
  readonly exited: Promise<number | null>;
  readonly child: ChildProcess;

  constructor(child: ChildProcess, url: string) {
    this.child = child;
    this.client = wsClient(url);
    this.exited = once(child, "exit").then(([code]) => code);
    child.on("message", (stray: Stray) => this.strays.push(stray));
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  async strayed(count: number): Promise<void> {
    while (this.strays.length < count) await once(this.child, "message");
  }

  async strayedIn(botId: string): Promise<void> {
    while (!this.strays.some((stray) => stray.botId === botId)) await once(this.child, "message");
  }

  [Symbol.dispose](): void {
    this.client[Symbol.dispose]();
    this.child.kill("SIGKILL");
  }
}

async function start(env: Record<string, string> = {}): Promise<StrayServer> {
  const child = fork(fileURLToPath(new URL("./stray-server.ts", import.meta.url)), {
    env: { ...process.env, ...env },
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  const [{ url }] = await once(child, "message");
  return new StrayServer(child, url);
}

function send({ api }: StockClient, botId: string, message = "hello") {
  const run = { runId: randomUUID(), botId, conversationId: randomUUID(), message };
  const reading = read((options) => api.chat.send.subscribe(run, options));
  return { ...reading, runId: run.runId };
}

async function stopOne(client: StockClient): Promise<string> {
  const run = send(client, "teeing");
  await run.until(({ type }) => type === "token");
  await client.api.chat.cancel.mutate({ runId: run.runId });
  return expectWholeRun(await run.completed).status;
}

test("a thousand stops of a bot that leaves a promise each, beside honest runs", async () => {
  using server = await start();
  const { client } = server;
  for (let round = 0; round < 20; round++) {
    const stops = Promise.all(Array.from({ length: 50 }, () => stopOne(client)));
    const honest = Promise.all(
      Array.from({ length: 5 }, async () => expectWholeRun(await send(client, "honest").completed)),
    );
    expect(new Set(await stops)).toEqual(new Set(["cancelled"]));
    for (const { status, text } of await honest) {
      expect({ status, text }).toEqual({ status: "completed", text: "All is well." });
    }
  }
  await server.strayed(1_000);
  expect(new Set(server.strays.map(({ botId, kind }) => `${botId} ${kind}`))).toEqual(
    new Set(["teeing rejection"]),
  );
  expect(server.running).toBe(true);
});

describe("beside honest runs,", () => {
  test.each([
    ["throws-in-a-timer", { status: "failed", code: "BOT_FAILED" }, "in a timer"],
    ["rejects-beside", { status: "completed", code: undefined }, "beside"],
    ["throws-late", { status: "completed", code: undefined }, "after its end"],
  ])("%s ends as it should", async (botId, expected, said) => {
    using server = await start();
    const honest = send(server.client, "honest");
    const { status, error } = expectWholeRun(await send(server.client, botId).completed);
    expect({ status, code: error?.code }).toEqual(expected);
    await server.strayed(1);
    expect(server.strays).toEqual([{ botId, kind: expect.any(String), said }]);
    expect(expectWholeRun(await honest.completed).text).toBe("All is well.");
    expect(expectWholeRun(await send(server.client, "honest").completed).text).toBe("All is well.");
    expect(server.running).toBe(true);
  });

  test("the check of a typed bot's input ends at most its own call", async () => {
    using server = await start();
    const outcomeOf = (botId: string) =>
      send(server.client, botId).completed.then(
        (received) => expectWholeRun(received).status,
        (refused) => refused.data.langwire.code,
      );
    expect(await outcomeOf("check-rejects-beside")).toBe("completed");
    expect(await outcomeOf("check-throws-in-a-timer")).toBe("BOT_FAILED");
    await server.strayed(2);
    await server.strayedIn("check-rejects-beside");
    await server.strayedIn("check-throws-in-a-timer");
    // zod calls code that waits twice: at first as if it did not wait.
    expect(new Set(server.strays.map(({ botId, said }) => `${botId}: ${said}`))).toEqual(
      new Set([
        "check-rejects-beside: beside the check",
        "check-throws-in-a-timer: in the check's timer",
      ]),
    );
    expect(expectWholeRun(await send(server.client, "honest").completed).text).toBe("All is well.");
  });
});

/** The server that `npm start` starts, whose model's code a module loaded before it has changed. */
describe("in the server itself", () => {
  test.each([
    ["a bot's own is logged, and nothing ends", "bot"],
    ["one of ours closes it, with 1", "own"],
  ])("%s", async (_what, whose) => {
    await using folder = await temporaryFolder();
    await using server = await startChildServer(
      { DATA_DIR: folder.path },
      new URL("./stray-probe.ts", import.meta.url).href,
    );
    using client = wsClient(server.url);
    const run = send(client, "chat", whose);
    if (whose === "own") {
      run.completed.catch(() => {});
      expect(await server.exited).toEqual({ code: 1, signal: null });
      expect(server.complaints.join()).toContain("an error that nobody caught");
    } else {
      expect(expectWholeRun(await run.completed).status).toBe("completed");
      expect(expectWholeRun(await send(client, "chat", "again").completed).status).toBe(
        "completed",
      );
      const [line = "{}", ...more] = server.complaints;
      expect(more).toEqual([]);
      expect(JSON.parse(line)).toMatchObject({
        botId: "chat",
        runId: run.runId,
        kind: "rejection",
      });
    }
  });
});

test("a contained error is counted, by bot and kind", async () => {
  const metrics = new Metrics();
  const stray = {
    botId: "chat",
    runId: randomUUID(),
    kind: "rejection",
    cause: undefined,
  } as const;
  metrics.observer.strayError?.(stray);
  expect(await metrics.text()).toContain(
    'langwire_bot_stray_errors_total{bot="chat",kind="rejection"} 1',
  );
});

test("an application's own listeners are told of its own, and nothing ends", async () => {
  using server = await start({ LISTENS: "yes" });
  for (const how of ["reject", "throw"]) server.child.send(how);
  await server.strayed(2);
  expect(server.strays).toEqual(
    ["rejection", "exception"].map((kind) => ({ botId: "", kind, said: "our own" })),
  );
  expect(expectWholeRun(await send(server.client, "honest").completed).text).toBe("All is well.");
});

describe("as fatal as Node has it", () => {
  test.each(["reject", "throw"])("an error of our own: %s", async (how) => {
    using server = await start();
    expect(expectWholeRun(await send(server.client, "honest").completed).status).toBe("completed");
    server.child.send(how);
    expect(await server.exited).toBe(1);
  });

  test("a bot's, where nothing is to be contained", async () => {
    using server = await start({ CONTAIN: "no" });
    const lost = send(server.client, "throws-in-a-timer");
    lost.completed.catch(() => {});
    expect(await server.exited).toBe(1);
  });
});
