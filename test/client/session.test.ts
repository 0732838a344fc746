/** The chat on a terminal: what it says of runs, refusals and lost connections, and what Ctrl-C does. */
import { PassThrough } from "node:stream";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { parseArguments } from "../../client/src/cli/arguments.ts";
import { exitCodes, Session, type SessionOptions } from "../../client/src/cli/session.ts";
import { type ClientErrorCode, LangwireClientError, type Message } from "../../client/src/index.ts";
import type { ChatEvent, RunStatus } from "../../client/src/types.ts";
import { now, wait } from "./scripted-link.ts";

const errorOf = (code: ClientErrorCode, message: string = code) =>
  new LangwireClientError({ code, message });

/** What the server says of bots and conversations. */
interface Server {
  readonly bots?: readonly string[];
  /** The conversation's own bot, or why it cannot be asked. */
  readonly botId?: string | LangwireClientError;
  readonly pages?: readonly { items: readonly Message[]; nextCursor?: string }[];
}

interface SentRun {
  readonly sent: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal;
  readonly cancelled: () => number;
  says(text: string): void;
  ends(status: RunStatus): void;
  fails(error: LangwireClientError): void;
}

/** A session on a client whose connection and whose runs are what the test says. */
function setUp(options: Partial<SessionOptions> = {}, server: Server = {}) {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  for (const name of ["FORCE_COLOR", "NO_COLOR"]) vi.stubEnv(name, undefined);
  onTestFinished(() => {
    vi.useRealTimers();
    vi.unstubAllEnvs();
  });
  const status: { state: string; error?: LangwireClientError | undefined } = { state: "idle" };
  const listeners: ((now: typeof status) => void)[] = [];
  const is = (state: string, error?: LangwireClientError) => {
    Object.assign(status, { state, error });
    for (const listener of listeners) listener(status);
  };
  const runs: SentRun[] = [];
  const cursors: (string | undefined)[] = [];
  const { bots = ["first", "second"], botId = "own", pages = [] } = server;
  const client = {
    connection: {
      get error() {
        return status.error;
      },
      subscribe: (listener: (now: typeof status) => void) => listeners.push(listener),
    },
    bots: { list: async () => bots.map((id) => ({ id })) },
    conversations: {
      get: async () => {
        if (typeof botId !== "string") throw botId;
        return { botId };
      },
      messages: async ({ cursor }: { cursor?: string }) => {
        cursors.push(cursor);
        const page = pages[Number(cursor ?? 0)];
        if (page === undefined) throw errorOf("NOT_FOUND", "No such conversation.");
        return page;
      },
    },
    send: (sent: SentRun["sent"], { signal }: { signal: AbortSignal }) => {
      const [run, iterable] = scriptedRun(sent, signal);
      runs.push(run);
      return iterable;
    },
  };
  const written: string[] = [];
  const stream = (name: string) =>
    new PassThrough().on("data", (data: Buffer) => {
      for (const line of String(data).split("\n").filter(Boolean)) written.push(`${name} ${line}`);
    });
  const session = new Session({
    client: client as never,
    ...{ url: "ws://host/trpc", botId: "bot", conversationId: "c" },
    ...{ isNew: true, json: false, verbose: false },
    stdout: stream("out") as never,
    stderr: stream("err") as never,
    ...options,
  });
  const send = async (message: string) => {
    const exitCode = session.send({ message });
    await wait(0);
    return { exitCode, run: runs.at(-1) as SentRun };
  };
  return { session, send, is, runs, cursors, written };
}

function scriptedRun(sent: SentRun["sent"], signal: AbortSignal) {
  const events: ChatEvent[] = [];
  let cancelled = 0;
  let changed = Promise.withResolvers<void>();
  const end = Promise.withResolvers<{ status: RunStatus }>();
  end.promise.catch(() => {});
  const add = (event: object) => {
    events.push({ runId: "r", at: "", ...event } as ChatEvent);
    changed.resolve();
    changed = Promise.withResolvers();
  };
  const run: SentRun = {
    ...{ sent, signal, cancelled: () => cancelled },
    says: (text) => add({ type: "token", spanId: "s", text }),
    ends: (status) => {
      add({ type: "runEnd", status, text: "" });
      end.resolve({ status });
    },
    fails: (error) => {
      end.reject(error);
      changed.resolve();
    },
  };
  signal.addEventListener("abort", () => run.fails(errorOf("CLOSED")));
  const iterable = {
    ended: end.promise,
    cancel: async () => void cancelled++,
    async *[Symbol.asyncIterator]() {
      for (let at = 0; ; at++) {
        while (events[at] === undefined) await Promise.race([changed.promise, end.promise]);
        yield events[at];
        if (events[at]?.type === "runEnd") return;
      }
    },
  };
  return [run, iterable] as const;
}

const unreachable = (why: string) => errorOf("UNREACHABLE", why);

describe("a server", () => {
  test("that answers nobody is told, with the way to one", async () => {
    const { send, is, written } = setUp();
    const { exitCode } = await send("Hi");
    is("connecting", unreachable("connection refused."));
    await wait(299);
    expect(written).toEqual([]);
    await wait(1);
    expect(await now(exitCode)).toBe(exitCodes.failed);
    expect(written).toEqual([
      "err No server answers at ws://host/trpc. connection refused.",
      "err Start one with `langwire dev`, or name another with `--url ws://host:port/trpc`.",
    ]);
  });

  test("that is there a moment later answers", async () => {
    const { send, is, written } = setUp();
    const { exitCode, run } = await send("Hi");
    is("connecting", unreachable("connection refused."));
    await wait(200);
    is("open");
    await wait(10_000);
    expect(run.signal.aborted).toBe(false);
    run.says("Hello");
    run.ends("completed");
    expect(await now(exitCode)).toBe(exitCodes.completed);
    expect(written).toEqual(["out Hello"]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("that refuses for the moment is waited for", async () => {
    const { send, is } = setUp();
    const { run } = await send("Hi");
    is("connecting", errorOf("AUTH_UNAVAILABLE"));
    await wait(10_000);
    expect(run.signal.aborted).toBe(false);
  });

  test("that is lost is told of once, and once why it does not come back, each time", async () => {
    const { send, is, written } = setUp();
    const { run } = await send("Hi");
    is("open");
    for (let times = 0; times < 2; times++) {
      is("connecting");
      for (const why of ["closed.", "closed.", "refused.", "refused.", "away."]) {
        is("connecting", unreachable(why));
      }
      is("open");
    }
    const told = ["err Connection lost, trying again…", "err Waiting for ws://host/trpc. refused."];
    expect(written).toEqual([...told, ...told]);
    await wait(10_000);
    expect(run.signal.aborted).toBe(false);
  });
});

describe("Ctrl-C", () => {
  test("cancels the run once, and leaves where there is none, or the second time", async () => {
    const { session, send, written } = setUp();
    expect(session.interrupt()).toBe(false);
    for (let message = 1; message <= 2; message++) {
      const { exitCode, run } = await send("Hi");
      expect([session.interrupt(), session.interrupt(), run.cancelled()]).toEqual([true, false, 1]);
      run.ends("cancelled");
      expect(await now(exitCode)).toBe(exitCodes.cancelled);
      expect(session.interrupt()).toBe(false);
    }
    const cancelling = "err Cancelling… Ctrl-C once more leaves at once.";
    expect(written.filter((line) => line.startsWith("err"))).toEqual([cancelling, cancelling]);
  });
});

test.each([
  ["completed", exitCodes.completed],
  ["failed", exitCodes.failed],
  ["cancelled", exitCodes.cancelled],
] as const)("a run that is %s exits with %i", async (status, code) => {
  const { session, send } = setUp();
  const { exitCode, run } = await send("Hi");
  run.ends(status);
  expect(await now(exitCode)).toBe(code);
  // At the prompt Ctrl-C leaves.
  expect([session.interrupt(), run.cancelled()]).toEqual([false, 0]);
});

test("what a refusal says commands no terminal, and is no empty server's", async () => {
  const { send, is, written } = setUp();
  const { exitCode, run } = await send("Hi");
  is("open");
  run.fails(errorOf("BAD_INPUT", "No\u001b[2J."));
  expect(await now(exitCode)).toBe(exitCodes.failed);
  const next = await send("Hi");
  next.run.fails(errorOf("CLOSED", "Ended."));
  expect(await now(next.exitCode)).toBe(exitCodes.failed);
  expect(written).toEqual(["err BAD_INPUT: No[2J.", "err CLOSED: Ended."]);
});

describe("the bot", () => {
  test.each<[string, Partial<SessionOptions>, Server, string | undefined]>([
    ["the one that is named", { botId: "named", isNew: false }, {}, "named"],
    ["a new conversation's first", { botId: undefined }, {}, "first"],
    ["a conversation's own", { botId: undefined, isNew: false }, {}, "own"],
    [
      "the first of one that is not there yet",
      { botId: undefined, isNew: false },
      { botId: errorOf("NOT_FOUND") },
      "first",
    ],
    [
      "none of one that may not be read",
      { botId: undefined, isNew: false },
      { botId: errorOf("UNAUTHORIZED") },
      undefined,
    ],
    ["none of a server without any", { botId: undefined }, { bots: [] }, undefined],
  ])("is %s", async (_which, options, server, botId) => {
    const { send, runs } = setUp(options, server);
    const { exitCode } = await send("Hi");
    expect(runs.map(({ sent }) => sent)).toEqual(
      botId === undefined ? [] : [{ botId, conversationId: "c", message: "Hi" }],
    );
    if (botId === undefined) expect(await now(exitCode)).toBe(exitCodes.failed);
  });

  test.each([
    ["is not there is told with those that are", "nobody", "NOT_FOUND", true],
    ["is there is not what was not found", "first", "NOT_FOUND", false],
    ["refuses is there", "nobody", "BAD_INPUT", false],
  ] as const)("that %s", async (_how, botId, code, isTold) => {
    const { send, is, written } = setUp({ botId });
    const { run } = await send("Hi");
    is("open");
    run.fails(errorOf(code));
    await wait(0);
    const others = "err There is no bot nobody. There are: first, second.";
    expect(written).toEqual([`err ${code}: ${code}`, ...(isTold ? [others] : [])]);
  });
});

describe("the history", () => {
  const said = (text: string): Message =>
    ({ runId: text, role: "human", userId: "ann", text, at: "" }) as Message;
  const pages = [
    { items: ["5", "6"].map(said), nextCursor: "1" },
    { items: ["3", "4"].map(said), nextCursor: "2" },
    { items: ["1", "2"].map(said) },
  ];

  test("is shown whole, the oldest first, as lines or as JSON", async () => {
    for (const json of [false, true]) {
      const { session, cursors, written } = setUp({ json }, { pages });
      expect(await now(session.showHistory())).toBe(exitCodes.completed);
      expect(cursors).toEqual([undefined, "1", "2"]);
      const texts = written
        .map((line) => line.slice("out ".length))
        .map((line) => (json ? JSON.parse(line).text : line))
        .filter((line) => line !== "ann:");
      expect(texts).toEqual(["1", "2", "3", "4", "5", "6"]);
    }
  });

  test("that cannot be read says why", async () => {
    const { session, is, written } = setUp();
    is("open");
    expect(await now(session.showHistory())).toBe(exitCodes.failed);
    expect(written).toEqual(["err NOT_FOUND: No such conversation."]);
  });
});

test.each(["-h", "--help"])("%s asks for help, with whatever else is given", (flag) => {
  expect(parseArguments([flag])).toMatchObject({ help: true });
  expect(parseArguments(["hello", flag, "--json"])).toMatchObject({ help: true });
});
