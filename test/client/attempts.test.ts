/** When a client tries to connect again, what it shows meanwhile, and when it gives up: without a socket. */
import { TRPCClientError } from "@trpc/client";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { Attempts } from "../../client/src/connection/attempts.ts";
import { Connection } from "../../client/src/connection/connection.ts";
import { LangwireClientError } from "../../client/src/errors.ts";
import { now, wait } from "./scripted-link.ts";

type Fetch = typeof globalThis.fetch;

interface Options {
  readonly needed?: boolean;
  readonly asksForTokens?: boolean;
  readonly bringsToken?: boolean;
  /** What the server says, asked over HTTP why it took no socket. Default: it cannot be reached. */
  readonly fetch?: Fetch;
}

const errorOf = (code: "UNAUTHORIZED" | "AUTH_UNAVAILABLE") =>
  new LangwireClientError({ code, message: "No." });
const answers = (status: number, headers = {}) =>
  vi.fn(async () => new Response("", { status, headers }));

function setUp(options: Options = {}) {
  const { needed = true, asksForTokens = false, bringsToken = false } = options;
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(0.5);
  const unreachable: Fetch = () => Promise.reject(new TypeError("fetch failed"));
  const fetch = vi.fn(options.fetch ?? unreachable);
  vi.stubGlobal("fetch", fetch);
  onTestFinished(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
  });
  const connection = new Connection({ baseMs: 100, maxMs: 1_000 });
  const startedAtMs = performance.now();
  const transcript: string[] = [];
  const say = (line: string) =>
    transcript.push(`${Math.round(performance.now() - startedAtMs)} ${line}`);
  connection.subscribe(({ state, error }) => say(`${state} ${error?.code ?? ""}`.trim()));
  const fail = ({ code, message }: LangwireClientError) => say(`gives up ${code}: ${message}`);
  const forget = connection.add({ input: {}, fail, wake: () => {} });
  if (!needed) forget();
  const attempts = new Attempts({
    ...{ connection, asksForTokens, bringsToken },
    httpUrl: "http://localhost/trpc",
    connectTimeoutMs: 500,
    stop: () => say("stops"),
  });
  const due = async () => {
    await attempts.untilDue();
    say("due");
  };
  return { attempts, connection, transcript, due, fetch };
}

describe("a wait", () => {
  test("is none for the first attempt, and doubles for each connection that is lost, up to the longest", async () => {
    const { attempts, due, transcript } = setUp();
    for (let times = 0; times < 7; times++) {
      if (times > 0) attempts.lost();
      void due();
      await wait(1_000);
    }
    const at = [0, 1_050, 2_100, 3_200, 4_400, 5_500, 6_500];
    expect(transcript).toEqual(at.map((ms) => `${ms} due`));
  });

  test("is shortened where it is about to begin, as one that has begun", async () => {
    const { attempts, due, transcript } = setUp();
    attempts.lost();
    attempts.shortenWait(0);
    void due();
    await wait(1_000);
    attempts.lost();
    void due();
    attempts.shortenWait(0);
    await wait(1_000);
    expect(transcript).toEqual(["0 due", "1000 due"]);
  });

  test("is one attempt's", async () => {
    const { attempts, due, transcript } = setUp();
    attempts.lost();
    void due();
    await wait(1_000);
    void due();
    await wait(1_000);
    expect(transcript).toEqual(["50 due", "1000 due"]);
  });

  test("is short again once the server has accepted the caller", async () => {
    const { attempts, due, transcript } = setUp();
    for (let times = 0; times < 5; times++) attempts.lost();
    attempts.accepted();
    attempts.lost();
    void due();
    await wait(1_000);
    expect(transcript).toEqual(["50 due"]);
  });

  test("that is over in place of another's leaves that one to be shortened", async () => {
    const { attempts, due, transcript } = setUp();
    for (let times = 0; times < 5; times++) attempts.lost();
    void due();
    attempts.shortenWait(0);
    attempts.lost();
    void due();
    await wait(10);
    attempts.shortenWait(0);
    await wait(1_000);
    expect(transcript).toEqual(["0 due", "10 due"]);
  });

  test("is none where nothing needs the connection, and then no attempt is made", async () => {
    const { attempts, due, transcript } = setUp({ needed: false });
    attempts.lost();
    void due();
    await wait(0);
    expect(transcript).toEqual(["0 stops", "0 due"]);
  });

  test.each([
    ["that newly needs it, to a short one", undefined, 60],
    ["that is back, to none", 0, 10],
    ["that would wait longer, not at all", 900, 400],
  ])("is shortened for something %s", async (_what, withinMs, atMs) => {
    const { attempts, due, transcript } = setUp();
    attempts.shortenWait(0);
    for (let times = 0; times < 4; times++) attempts.lost();
    void due();
    await wait(10);
    attempts.shortenWait(withinMs);
    await wait(1_000);
    expect(transcript).toEqual([`${atMs} due`]);
    attempts.shortenWait(0);
  });
});

describe("a socket that did not open", () => {
  const lost = TRPCClientError.from(new Error("closed"));

  test("is explained once, by the server, before there is another attempt", async () => {
    const asked = Promise.withResolvers<Response>();
    const { attempts, due, fetch, transcript } = setUp({ fetch: () => asked.promise });
    attempts.failed();
    attempts.failed();
    void due();
    await wait(100);
    expect(transcript).toEqual([]);
    asked.resolve(new Response("", { status: 503 }));
    await wait(0);
    expect(transcript).toEqual(["100 connecting UNREACHABLE", "100 due"]);
    const [url, init] = fetch.mock.calls[0] ?? [];
    expect([url, init?.headers]).toEqual(["http://localhost/trpc/bots.list", {}]);
    attempts.failed();
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  test("waits as long as the server says, besides, until one has opened", async () => {
    const { attempts, due, transcript } = setUp({ fetch: answers(503, { "retry-after": "2" }) });
    attempts.failed();
    attempts.lost();
    void due();
    await wait(3_000);
    attempts.opened();
    void due();
    await wait(0);
    const before = ["0 connecting UNREACHABLE", "2050 due"];
    expect(transcript).toEqual([...before, "3000 open", "3000 due"]);
  });

  test("where the server has nothing against it, is tried again as lost", async () => {
    const { attempts, due, transcript } = setUp({ fetch: answers(200) });
    attempts.failed();
    void due();
    await wait(0);
    attempts.report(lost);
    expect(transcript).toEqual(["0 due", "0 connecting UNREACHABLE"]);
  });

  test("is given up where the address never worked, and waited for where it did", async () => {
    const never = setUp({ fetch: answers(404) });
    never.attempts.failed();
    await wait(0);
    const gone = "There is no Langwire server at http://localhost/trpc/bots.list. (HTTP 404)";
    expect(never.transcript).toEqual([`0 gives up NOT_FOUND: ${gone}`, "0 stops"]);
    expect(never.connection.givenUp?.code).toBe("NOT_FOUND");
    const { attempts, transcript } = setUp({ fetch: answers(404) });
    attempts.opened();
    attempts.failed();
    await wait(0);
    expect(transcript).toEqual(["0 open", "0 connecting NOT_FOUND"]);
  });

  test.each([
    ["one", false, ["0 stops"]],
    ["another", true, []],
  ])(
    "is refused to who brings no token, and not for that where %s would be",
    async (_, bringsToken, said) => {
      const { attempts, transcript } = setUp({ bringsToken, fetch: answers(401) });
      attempts.failed();
      await wait(0);
      expect(transcript.slice(1)).toEqual(said);
    },
  );

  test("because nothing can be made of its class is given up as it is", async () => {
    const { attempts, transcript, fetch } = setUp();
    attempts.failed(new TypeError("broken"));
    attempts.failed("odd");
    await wait(0);
    expect(transcript).toEqual([
      ...["0 gives up BAD_INPUT: No socket can be made: broken", "0 stops"],
      ...["0 gives up BAD_INPUT: No socket can be made: odd", "0 stops"],
    ]);
    expect(fetch).not.toHaveBeenCalled();
  });

  test("is told with the reason that is known, and without one at first", async () => {
    const { attempts, transcript, connection } = setUp();
    attempts.report(null);
    expect(connection.error).toBeUndefined();
    attempts.withoutToken(errorOf("UNAUTHORIZED"));
    attempts.report(lost);
    attempts.report(null);
    expect(transcript).toEqual(["0 connecting", "0 connecting UNAUTHORIZED", "0 connecting"]);
  });
});

describe("who is refused", () => {
  const given = ["0 gives up UNAUTHORIZED: No.", "0 stops"];

  test.each([
    ["with the one token there is, at once", false, 1],
    ["with tokens that can be asked for, the second time", true, 2],
  ])("gives up: %s", (_what, asksForTokens, times) => {
    const { attempts, transcript, connection } = setUp({ asksForTokens });
    for (let time = 1; time < times; time++) attempts.refused(errorOf("UNAUTHORIZED"));
    expect(transcript).toEqual([]);
    // Accepted in between: it counts from the beginning.
    attempts.accepted();
    expect(connection.refusals).toBe(0);
    for (let time = 1; time <= times; time++) attempts.refused(errorOf("UNAUTHORIZED"));
    expect(transcript).toEqual(given);
    expect(connection.refusals).toBe(0);
  });

  test("for the moment waits as long as the server says, besides", async () => {
    const { attempts, due, transcript } = setUp();
    const overloaded = { code: "OVERLOADED", message: "No.", retryable: true } as const;
    attempts.refused(new LangwireClientError({ ...overloaded, retryAfterMs: 2_000 }));
    attempts.refused(new LangwireClientError(overloaded));
    attempts.lost();
    void due();
    await wait(3_000);
    expect(transcript).toEqual(["2050 due"]);
  });

  test("by a server that cannot know does not", () => {
    const { attempts, transcript, connection } = setUp();
    for (let time = 0; time < 5; time++) attempts.refused(errorOf("AUTH_UNAVAILABLE"));
    expect(transcript).toEqual([]);
    expect(connection.refusals).toBe(0);
  });

  test("for want of a token, by the application, gives up the fourth time in a row, each time", () => {
    const { attempts, transcript } = setUp({ asksForTokens: true });
    const missing = (times: number) => {
      for (let time = 0; time < times; time++) attempts.withoutToken(errorOf("UNAUTHORIZED"));
    };
    missing(3);
    attempts.accepted();
    missing(3);
    expect(transcript).toEqual([]);
    missing(1);
    expect(transcript).toEqual(given);
    missing(3);
    expect(transcript).toEqual(given);
    missing(1);
    expect(transcript).toEqual([...given, ...given]);
  });
});

test("a promise of the next attempt waits for the time, not for ever", async () => {
  const { attempts } = setUp();
  attempts.lost();
  const due = attempts.untilDue();
  expect(await now(due)).toBe("waits");
  await wait(50);
  expect(await now(due)).toBeUndefined();
});
