/** What becomes of a subscription that is refused: a table, without a socket. */
import { describe, expect, test } from "vitest";
import { LangwireClientError } from "../../client/src/errors.ts";
import { type LinkOptions, refusalOf, scriptedLink, wait } from "./scripted-link.ts";
import { busy, gone, lost, open, token } from "./subscription-cases.ts";

const passing = { code: "UNREACHABLE", status: 502, message: "", retryable: true } as const;

/** What becomes of a refusal: of one that was accepted before, and of one that was not. */
const refusals: readonly {
  readonly what: string;
  readonly cause: unknown;
  readonly fresh: string;
  readonly accepted: string;
  readonly explain?: LinkOptions["explain"];
}[] = [
  { what: "no answer", cause: lost, fresh: "again", accepted: "again" },
  {
    what: "no answer that cannot be explained",
    cause: lost,
    explain: async () => undefined,
    fresh: "again",
    accepted: "again",
  },
  {
    what: "a server that cannot say who it is",
    cause: refusalOf({ code: "AUTH_UNAVAILABLE", retryable: false }),
    fresh: "again",
    accepted: "again",
  },
  { what: "a busy server", cause: refusalOf(busy), fresh: "OVERLOADED", accepted: "again" },
  { what: "what is for good", cause: refusalOf(gone), fresh: "NOT_FOUND", accepted: "NOT_FOUND" },
  {
    what: "credentials",
    cause: refusalOf({ code: "UNAUTHORIZED", retryable: false }),
    fresh: "UNAUTHORIZED",
    accepted: "UNAUTHORIZED",
  },
  {
    what: "no answer that is explained as one for good",
    cause: lost,
    explain: async () => new LangwireClientError({ ...gone, message: "" }),
    fresh: "NOT_FOUND",
    accepted: "NOT_FOUND",
  },
  {
    what: "a proxy's page",
    cause: lost,
    explain: async () => new LangwireClientError({ ...gone, status: 404, message: "" }),
    fresh: "NOT_FOUND",
    accepted: "again",
  },
  {
    what: "a proxy without a server",
    cause: lost,
    explain: async () => new LangwireClientError(passing),
    fresh: "again",
    accepted: "again",
  },
  {
    what: "a refusal, for which nobody is asked why",
    cause: refusalOf(gone),
    explain: async () => new LangwireClientError(passing),
    fresh: "NOT_FOUND",
    accepted: "NOT_FOUND",
  },
];

describe.each(refusals)("refused by $what", ({ cause, explain, fresh, accepted }) => {
  test.each([
    ["fresh", fresh],
    ["accepted", accepted],
  ])("%s", async (state, becomes) => {
    const link = scriptedLink(explain === undefined ? {} : { explain });
    const client = open(link);
    if (state === "accepted") link.server.received();
    expect(client.accepted).toBe(state === "accepted");
    link.server.fails(cause);
    await wait(50);
    const last = becomes === "again" ? "50 asks behind nothing" : `0 fails ${becomes}`;
    expect(link.transcript.at(-1)).toBe(last);
    expect(link.connection.needed).toBe(becomes === "again");
  });
});

describe("credentials that are refused", () => {
  const unauthorized = { code: "UNAUTHORIZED", retryable: false } as const;

  test("are shown anew once, where there may be others, and once more after an event", async () => {
    const link = scriptedLink({ own: true, asksForTokens: true });
    open(link);
    link.server.refuses(unauthorized);
    await wait(1_000);
    link.server.event(1, token);
    link.server.refuses(unauthorized);
    await wait(1_000);
    expect(link.asked).toHaveLength(3);
    link.server.refuses(unauthorized);
    await wait(1_000);
    expect(link.transcript.at(-1)).toBe("2000 fails UNAUTHORIZED");
  });

  test("are the only ones for which others are tried", async () => {
    const link = scriptedLink({ own: true, asksForTokens: true });
    open(link);
    link.server.refuses(gone);
    await wait(1_000);
    expect(link.transcript.at(-1)).toBe("0 fails NOT_FOUND");
  });

  test("are not where there are none but these", async () => {
    const link = scriptedLink({ own: true, asksForTokens: false });
    open(link);
    link.server.refuses(unauthorized);
    await wait(1_000);
    expect(link.asked).toHaveLength(1);
  });

  test("of a connection that is shared, while that tries with others", async () => {
    const link = scriptedLink();
    open(link);
    link.connection.refusals = 1;
    for (let times = 0; times < 3; times++) {
      link.server.refuses(unauthorized);
      await wait(1_000);
    }
    expect(link.asked).toHaveLength(4);
  });
});

test("one that the server has merely received is accepted over a socket, and not over a stream of its own", () => {
  for (const own of [false, true]) {
    const link = scriptedLink({ own });
    const client = open(link);
    link.server.received();
    expect(client.accepted).toBe(!own);
    expect(link.transcript).toEqual(["0 asks behind nothing", "0 started"]);
    link.server.begins("1");
    expect(client.accepted).toBe(true);
    expect(client.lastEventId).toBe("1");
  }
});

test.each([
  ["for good", gone],
  ["for the moment", passing],
])(
  "who leaves while it is asked why it was refused hears nothing of it, %s",
  async (_for, refusal) => {
    const why = Promise.withResolvers<LangwireClientError | undefined>();
    const link = scriptedLink({ own: true, explain: () => why.promise });
    const client = open(link);
    link.server.fails(lost);
    client.stop();
    why.resolve(new LangwireClientError({ message: "", ...refusal }));
    await wait(1_000);
    const asked = ["0 asks behind nothing", "0 leaves", "0 is connecting UNREACHABLE", "0 is gone"];
    expect(link.transcript).toEqual(asked);
  },
);
