/** Runs in progress that are too large together: whose end, and whose do not begin. */
import { describe, expect, test } from "vitest";
import { openLangwire } from "../../src/open/open-langwire.ts";
import { LiveBytes } from "../../src/runs/admission/live-bytes.ts";
import { all, botSaying, caller, newRun, upTo } from "./run-bench.ts";

class Growing {
  readonly run: { readonly userId: string };
  bytes = 0;
  code: string | undefined;
  constructor(userId: string) {
    this.run = { userId };
  }
  fail({ code }: { code: string }): void {
    this.code = code;
  }
}

function setUp(max: number) {
  const live = new LiveBytes(max);
  const begin = (userId = "ann") => {
    const run = new Growing(userId);
    live.add(run);
    const grow = (bytes: number) => {
      run.bytes += bytes;
      live.grew(run, bytes);
    };
    return Object.assign(run, { grow });
  };
  return { live, begin };
}

describe("of all runs in progress", () => {
  test("the largest ends, whoever went past the limit", () => {
    const { begin } = setUp(100);
    const [small, large] = [begin(), begin()];
    large.grow(90);
    small.grow(10);
    expect([small.code, large.code]).toEqual([undefined, undefined]);
    small.grow(1);
    expect([small.code, large.code]).toEqual([undefined, "OVERLOADED"]);
  });

  test("of the user who has most: many small ones end no large one of another's", () => {
    const { begin } = setUp(100);
    const honest = begin("ann");
    const many = Array.from({ length: 5 }, () => begin("eve"));
    honest.grow(30);
    for (const run of many) run.grow(14);
    many[4]?.grow(10);
    expect([honest.code, ...many.map(({ code }) => code)]).toEqual([
      ...Array(5).fill(undefined),
      "OVERLOADED",
    ]);
  });

  test("what is ending, or has ended, counts no more", () => {
    const { live, begin } = setUp(100);
    const [first, second, third] = [begin(), begin(), begin()];
    first.grow(60);
    second.grow(50);
    expect(first.code).toBe("OVERLOADED");
    // It still says something, and ends.
    first.grow(40);
    live.delete(first);
    third.grow(50);
    expect([second.code, third.code]).toEqual([undefined, undefined]);
    live.delete(second);
    third.grow(50);
    expect(third.code).toBeUndefined();
  });

  test("what is being stored counts until it is, and another ends in its place", () => {
    const { live, begin } = setUp(100);
    const [done, working] = [begin("ann"), begin("eve")];
    done.grow(40);
    live.storing(done);
    working.grow(60);
    expect(live.mayBegin("eve")).toBe(false);
    working.grow(1);
    expect([done.code, working.code]).toEqual([undefined, "OVERLOADED"]);
    live.delete(done);
    const next = begin("eve");
    next.grow(100);
    expect(next.code).toBeUndefined();
  });

  test("as many end as are too much, at once", () => {
    const { live, begin } = setUp(100);
    const done = begin("ann");
    done.grow(40);
    const working = Array.from({ length: 6 }, () => begin("eve"));
    for (const run of working) run.grow(10);
    expect(working.filter(({ code }) => code !== undefined)).toEqual([]);
    live.storing(done);
    const codes = () => [...working, next].filter(({ code }) => code === "OVERLOADED").length;
    const next = begin("bob");
    next.grow(15);
    expect(codes()).toBe(2);
    next.grow(6);
    expect(codes()).toBe(3);
  });

  test("what is being stored leaves half to the others", () => {
    const { live, begin } = setUp(100);
    const done = begin("ann");
    done.grow(90);
    live.storing(done);
    const working = begin("eve");
    working.grow(50);
    expect(working.code).toBeUndefined();
  });

  describe("near the limit", () => {
    test("none of the user's is to begin who has most, and others' may", () => {
      const { live, begin } = setUp(100);
      const mayBegin = () => ["ann", "eve", "bob"].map((userId) => live.mayBegin(userId));
      const [honest, greedy] = [begin("ann"), begin("eve")];
      honest.grow(5);
      greedy.grow(70);
      expect(mayBegin()).toEqual([true, true, true]);
      greedy.grow(1);
      expect(mayBegin()).toEqual([true, false, true]);
      live.delete(greedy);
      expect(mayBegin()).toEqual([true, true, true]);
    });

    test("many small ones of one user count as one large one", () => {
      const { live, begin } = setUp(100);
      begin("ann").grow(20);
      for (let count = 0; count < 8; count++) begin("eve").grow(8);
      expect(["ann", "eve", "bob"].map((userId) => live.mayBegin(userId))).toEqual([
        ...[true, false, true],
      ]);
    });

    test("none at all is to begin where it is everybody's doing", () => {
      const { live, begin } = setUp(100);
      for (let user = 0; user < 40; user++) begin(`user ${user}`).grow(2);
      expect(["user 0", "user 1", "bob"].map((userId) => live.mayBegin(userId))).toEqual([
        ...[false, false, false],
      ]);
    });
  });
});

const word = "x".repeat(1_000);
const words = (count: number) => Array.from({ length: count }, () => word);
const bounded = { runLimits: { maxLiveBytes: 10_000 } };

test("the one that ends keeps what it has said, and others begin", async () => {
  const bots = [botSaying({ tokens: words(12) }, { tokens: ["ok"] })];
  await using langwire = await openLangwire({ bots, ...bounded });
  const end = (await all(await langwire.runs.send(caller, newRun()))).at(-1)?.event;
  expect(end).toMatchObject({ status: "failed", error: { code: "OVERLOADED", retryable: true } });
  expect(end).toMatchObject({ text: expect.stringMatching(/^x{1000,}$/) });
  const next = await all(await langwire.runs.send(caller, newRun()));
  expect(next.at(-1)?.event).toMatchObject({ status: "completed", text: "ok" });
});

test("where one user has nearly all, no more of hers begin, but another's do", async () => {
  const gate = Promise.withResolvers<void>();
  const answers = [
    { tokens: words(8), until: gate.promise },
    { tokens: ["ok"] },
    { tokens: ["ok"] },
  ];
  const bots = [botSaying(...answers)];
  await using langwire = await openLangwire({ bots, ...bounded });
  const first = await langwire.runs.send(caller, newRun());
  // Neighbouring tokens come as one.
  for (let said = 0; said < 8 * word.length; ) {
    const event = (await upTo(first, "token")).at(-1)?.event;
    if (event?.type === "token") said += event.text.length;
  }
  const refused = langwire.runs.send(caller, newRun());
  await expect(refused).rejects.toMatchObject({ code: "OVERLOADED", retryAfterMs: 1_000 });
  const others = await all(await langwire.runs.send({ userId: "bob" }, newRun()));
  expect(others.at(-1)?.event).toMatchObject({ status: "completed", text: "ok" });
  gate.resolve();
  expect((await all(first)).at(-1)?.event).toMatchObject({ status: "completed" });
  const next = await all(await langwire.runs.send(caller, newRun()));
  expect(next.at(-1)?.event).toMatchObject({ status: "completed" });
});

test("one that is being stored is not ended for another, and the other is", async () => {
  const stored = Promise.withResolvers<void>();
  const bots = [botSaying({ tokens: words(6) }, { tokens: words(6) })];
  await using langwire = await openLangwire({ bots, ...bounded });
  const { runs } = langwire.store;
  const finish = runs.finish.bind(runs);
  const finishing = Promise.withResolvers<void>();
  runs.finish = async (ending) => {
    finishing.resolve();
    if (ending.status === "completed") await stored.promise;
    return await finish(ending);
  };
  const first = all(await langwire.runs.send(caller, newRun()));
  await finishing.promise;
  const second = all(await langwire.runs.send({ userId: "bob" }, newRun()));
  expect((await second).at(-1)?.event).toMatchObject({ error: { code: "OVERLOADED" } });
  stored.resolve();
  expect((await first).at(-1)?.event).toMatchObject({ status: "completed" });
});
