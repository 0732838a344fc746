/** Whose reading may go on: proofs that are renewed, that are doubted, and that cannot be had. */
import { randomUUID } from "node:crypto";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { LangwireError } from "../../src/protocol/errors.ts";
import { Memberships, type ProofTimes } from "../../src/runs/following/memberships.ts";
import type { Membership } from "../../src/store/store.ts";

/** A store that knows who is a member, and may keep its answers to itself. */
class Members {
  readonly #members = new Set<string>();
  asked = 0;
  answers: Promise<void> = Promise.resolve();
  away = false;
  readonly conversations = {
    stillMembers: async (memberships: readonly Membership[]) => {
      this.asked += 1;
      const found = memberships.filter((it) => this.#members.has(key(it)));
      await this.answers;
      if (this.away) throw new Error("away");
      return found;
    },
  };

  add(membership: Membership): void {
    this.#members.add(key(membership));
  }

  remove(membership: Membership): void {
    this.#members.delete(key(membership));
  }
}

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

function heapUsed(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

const key = ({ conversationId, userId }: Membership) => `${conversationId} ${userId}`;
const proofs: ProofTimes = { renewMs: 2_000, validMs: 6_000 };

function reader() {
  const failures: LangwireError[] = [];
  return { failures, fail: (error: LangwireError) => void failures.push(error) };
}

describe("a membership", () => {
  const eve = { conversationId: randomUUID(), userId: "eve" };
  let store: Members;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "setInterval", "clearInterval", "performance"] });
    store = new Members();
    store.add(eve);
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  test("that was proved a moment ago is not asked for", () => {
    using memberships = new Memberships({ store });
    const membership = memberships.enter(eve, reader(), performance.now());
    expect(memberships.proof(membership)).toBeUndefined();
    expect(store.asked).toBe(0);
  });

  test("in doubt gives nothing until the store has answered, and is in order then", async () => {
    using memberships = new Memberships({ store });
    const one = reader();
    const membership = memberships.enter(eve, one, performance.now());
    const { promise, resolve } = Promise.withResolvers<void>();
    store.answers = promise;
    vi.advanceTimersByTime(1);
    const changed = memberships.changed(eve.conversationId);
    const proof = memberships.proof(membership);
    expect(proof).toBeInstanceOf(Promise);
    vi.advanceTimersByTime(1);
    resolve();
    await Promise.all([changed, proof]);
    expect(memberships.proof(membership)).toBeUndefined();
    expect(one.failures).toEqual([]);
  });

  test("that is none any more shuts all of its readers out, and nobody else's", async () => {
    using memberships = new Memberships({ store });
    const ann = { ...eve, userId: "ann" };
    store.add(ann);
    const [one, two, other] = [reader(), reader(), reader()];
    memberships.enter(eve, one, performance.now());
    memberships.enter(eve, two, performance.now());
    memberships.enter(ann, other, performance.now());
    store.remove(eve);
    vi.advanceTimersByTime(1);
    await memberships.changed(eve.conversationId);
    expect([one, two, other].map(({ failures }) => failures.map(({ code }) => code))).toEqual([
      ["NOT_FOUND"],
      ["NOT_FOUND"],
      [],
    ]);
  });

  test("doubted while the store is being asked is asked for again", async () => {
    using memberships = new Memberships({ store });
    const one = reader();
    memberships.enter(eve, one, performance.now());
    const { promise, resolve } = Promise.withResolvers<void>();
    store.answers = promise;
    vi.advanceTimersByTime(1);
    const first = memberships.changed(eve.conversationId);
    // The answer that is on its way is from before the removal.
    store.remove(eve);
    vi.advanceTimersByTime(1);
    const second = memberships.changed(eve.conversationId);
    resolve();
    await Promise.all([first, second]);
    expect(one.failures.map(({ code }) => code)).toEqual(["NOT_FOUND"]);
  });

  test("that was doubted between the question and the first event is asked for", async () => {
    using memberships = new Memberships({ store });
    const askedAtMs = performance.now();
    vi.advanceTimersByTime(1);
    store.remove(eve);
    await memberships.changed(eve.conversationId);
    const one = reader();
    const membership = memberships.enter(eve, one, askedAtMs);
    await memberships.proof(membership);
    expect(one.failures.map(({ code }) => code)).toEqual(["NOT_FOUND"]);
  });

  test("that somebody has come back to is not ended by an answer from before that", async () => {
    using memberships = new Memberships({ store });
    const [before, after] = [reader(), reader()];
    memberships.enter(eve, before, performance.now());
    store.remove(eve);
    const { promise, resolve } = Promise.withResolvers<void>();
    store.answers = promise;
    vi.advanceTimersByTime(1);
    const changed = memberships.changed(eve.conversationId);
    vi.advanceTimersByTime(1);
    store.add(eve);
    const membership = memberships.enter(eve, after, performance.now());
    resolve();
    await changed;
    expect(after.failures).toEqual([]);
    expect(memberships.proof(membership)).toBeUndefined();
    // Also where a doubt about somebody else came after the question by which she was found.
    store.remove(eve);
    const late = Promise.withResolvers<void>();
    store.answers = late.promise;
    vi.advanceTimersByTime(1);
    const changedAgain = memberships.changed(eve.conversationId);
    vi.advanceTimersByTime(1);
    store.add(eve);
    const askedAtMs = performance.now();
    vi.advanceTimersByTime(1);
    const elsewhere = memberships.changed(randomUUID());
    const last = reader();
    memberships.enter(eve, last, askedAtMs);
    late.resolve();
    await Promise.all([changedAgain, elsewhere]);
    expect(last.failures).toEqual([]);
  });

  test("cannot be proved while the store is away, and is as soon as it is back", async () => {
    using memberships = new Memberships({ store });
    const one = reader();
    const membership = memberships.enter(eve, one, performance.now());
    store.away = true;
    vi.advanceTimersByTime(1);
    let settled = false;
    const changed = memberships.changed(eve.conversationId).then(() => {
      settled = true;
    });
    await vi.advanceTimersByTimeAsync(30_000);
    expect(settled).toBe(false);
    expect(memberships.proof(membership)).toBeInstanceOf(Promise);
    store.away = false;
    await vi.advanceTimersByTimeAsync(2_000);
    await changed;
    expect(memberships.proof(membership)).toBeUndefined();
    expect(one.failures).toEqual([]);
  });

  test("among processes is renewed in quiet times too: a removal that nobody told of is found", async () => {
    using memberships = new Memberships({ store, proofs });
    const one = reader();
    memberships.enter(eve, one, performance.now());
    store.remove(eve);
    await vi.advanceTimersByTimeAsync(proofs.renewMs);
    expect(one.failures.map(({ code }) => code)).toEqual(["NOT_FOUND"]);
  });

  test("among processes does not outlast a gap: whoever was asleep asks before it gives anything", async () => {
    using memberships = new Memberships({ store, proofs });
    const one = reader();
    const membership = memberships.enter(eve, one, performance.now());
    const { promise, resolve } = Promise.withResolvers<void>();
    store.answers = promise;
    // Timers are late after a sleep; the clock is not.
    vi.setSystemTime(Date.now() + proofs.validMs);
    vi.advanceTimersByTime(proofs.validMs);
    const proof = memberships.proof(membership);
    expect(proof).toBeInstanceOf(Promise);
    store.answers = Promise.resolve();
    resolve();
    await proof;
    expect(memberships.proof(membership)).toBeUndefined();
  });

  test("many of them are asked for in parts", async () => {
    using memberships = new Memberships({ store });
    const readers = Array.from({ length: 1_000 }, () => {
      const named = { ...eve, userId: randomUUID() };
      const one = reader();
      memberships.enter(named, one, performance.now());
      return one;
    });
    vi.advanceTimersByTime(1);
    await memberships.changed(eve.conversationId);
    expect(readers.every(({ failures }) => failures.length === 1)).toBe(true);
    expect(store.asked).toBe(5);
  });

  test("lasts while one of its readers is left, and is another one after the last", async () => {
    using memberships = new Memberships({ store });
    const [one, two, later] = [reader(), reader(), reader()];
    const membership = memberships.enter(eve, one, performance.now());
    expect(memberships.enter(eve, two, performance.now())).toBe(membership);
    memberships.leave(membership, one);
    const other = { ...eve, userId: "other" };
    store.add(other);
    memberships.enter(other, reader(), performance.now());
    memberships.leave(membership, two);
    vi.advanceTimersByTime(1);
    await memberships.changed(eve.conversationId);
    // Of those who have left, nobody is asked for.
    expect(store.asked).toBe(1);
    const again = memberships.enter(eve, later, performance.now());
    expect(again).not.toBe(membership);
    memberships.leave(membership, two);
    store.remove(eve);
    vi.advanceTimersByTime(1);
    await memberships.changed(eve.conversationId);
    expect([one, two, later].map(({ failures }) => failures.length)).toEqual([0, 0, 1]);
    memberships.leave(again, later);
    expect(store.asked).toBe(2);
  });

  test("is renewed once while the store does not answer, however long that takes", async () => {
    using memberships = new Memberships({ store, proofs });
    for (let user = 0; user < 2_000; user++) {
      memberships.enter({ ...eve, userId: `user ${user}` }, reader(), performance.now());
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    store.answers = promise;
    vi.advanceTimersByTime(proofs.renewMs);
    const before = heapUsed();
    vi.advanceTimersByTime(1_000 * proofs.renewMs);
    // Each renewal that waited would have a list of all memberships in hand.
    expect(heapUsed() - before).toBeLessThan(1024 * 1024);
    store.answers = Promise.resolve();
    resolve();
    await vi.advanceTimersByTimeAsync(0);
  });

  test("that its last reader leaves while the store is away is not asked for any more", async () => {
    using memberships = new Memberships({ store });
    const one = reader();
    const membership = memberships.enter(eve, one, performance.now());
    store.away = true;
    vi.advanceTimersByTime(1);
    const changed = memberships.changed(eve.conversationId);
    await vi.advanceTimersByTimeAsync(10);
    memberships.leave(membership, one);
    await vi.advanceTimersByTimeAsync(1_000);
    await changed;
    const { asked } = store;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(store.asked).toBe(asked);
    await memberships.proof(membership);
    expect(store.asked).toBe(asked);
  });

  test("asks nothing more once it is over: nobody waits, and no timer is left", async () => {
    const memberships = new Memberships({ store, proofs });
    const membership = memberships.enter(eve, reader(), performance.now());
    store.away = true;
    vi.advanceTimersByTime(1);
    const changed = memberships.changed(eve.conversationId);
    await vi.advanceTimersByTimeAsync(1);
    memberships[Symbol.dispose]();
    await changed;
    expect(vi.getTimerCount()).toBe(0);
    const { asked } = store;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(store.asked).toBe(asked);
    await memberships.proof(membership);
    expect(store.asked).toBe(asked);
  });

  test("nobody reads by any more is forgotten", async () => {
    using memberships = new Memberships({ store, proofs });
    const one = reader();
    const membership = memberships.enter(eve, one, performance.now());
    memberships.leave(membership, one);
    await vi.advanceTimersByTimeAsync(3 * proofs.renewMs);
    expect(store.asked).toBe(0);
  });

  test("is nothing that is held once nobody reads, however many conversations there were", () => {
    using memberships = new Memberships({ store });
    const readAndLeave = (count: number) => {
      for (let index = 0; index < count; index++) {
        const one = reader();
        const named = { conversationId: `conversation ${index}`, userId: "eve" };
        memberships.leave(memberships.enter(named, one, 0), one);
      }
    };
    // Once, for what is compiled and cached on the way.
    readAndLeave(1_000);
    const before = heapUsed();
    readAndLeave(20_000);
    expect(heapUsed() - before).toBeLessThan(1024 * 1024);
  });
});
