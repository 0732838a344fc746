/** Random batches of calls by two users, each batch at once; whatever happens, the promises hold. */
import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Claim, Run, Store } from "../../src/store/store.ts";
import { endingOf, type StorePlace, storeForEach } from "./store-place.ts";

const users = ["alice", "bob"] as const;
type User = (typeof users)[number];

const user = fc.constantFrom(...users);
const conversation = fc.nat({ max: 1 });
const run = fc.nat({ max: 6 });
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ call: fc.constant("claim"), user, conversation, run }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      call: fc.constant("finish"),
      run,
      status: fc.constantFrom("completed", "cancelled", "failed"),
      events: fc.integer({ min: 1, max: 5 }),
    }),
  },
  fc.record({ call: fc.constantFrom("share", "unshare", "join", "leave"), user, conversation }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** @param nodes how many stores are open on the same database, the calls going round them */
export function describeStoreModel(newPlace: () => Promise<StorePlace>, nodes = 1): void {
  const current = storeForEach(newPlace);

  test("one run at a time, numbers never shared, strangers learn nothing", async () => {
    await using others = new AsyncDisposableStack();
    const stores = [current.store];
    while (stores.length < nodes) stores.push(others.use(await current.place.open()));
    const batches = fc.array(fc.array(step, { minLength: 1, maxLength: 5 }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(batches, async (schedule) => {
        const world = new World(stores);
        for (const batch of schedule) await world.play(batch);
      }),
      { numRuns: 40 },
    );
  });
}

/** The calls made, and what must be true of their results. */
class World {
  readonly #stores: readonly Store[];
  #calls = 0;
  readonly #conversationIds = [randomUUID(), randomUUID()];
  readonly #runIds = Array.from({ length: 7 }, () => randomUUID());
  /** As claimed. */
  readonly #runs = new Map<string, Run>();

  constructor(stores: readonly Store[]) {
    this.#stores = stores;
  }

  get #store(): Store {
    const store = this.#stores[this.#calls++ % this.#stores.length];
    if (store === undefined) throw new Error("no stores");
    return store;
  }

  async play(batch: Step[]): Promise<void> {
    const before = await this.#memberships();
    const claims = await Promise.all(batch.map((one) => this.#call(one)));
    const after = await this.#memberships();
    for (const claim of claims) {
      if (claim === undefined) continue;
      const { outcome, user, conversationId } = claim;
      const place = `${user} ${conversationId}`;
      if (outcome === "busy" || outcome === "wrongBot") {
        expect(before.has(place) || after.has(place), `${user} learned of a run`).toBe(true);
      }
      if (outcome === "exists") {
        const theirs = `${user} ${claim.run.conversationId}`;
        expect(before.has(theirs) || after.has(theirs), `${user} saw a run`).toBe(true);
      }
    }
    for (const id of this.#conversationIds) await this.#checkNumbers(id);
    for (const name of users) await this.#checkSecrets(name, after);
  }

  async #call(one: Step): Promise<(Claim & { user: User; conversationId: string }) | undefined> {
    const { conversations, runs } = this.#store;
    if (!("user" in one)) {
      const claimed = this.#runs.get(this.#runIds[one.run] ?? "");
      if (claimed === undefined) return undefined;
      const { status, events } = one;
      const ending = endingOf(claimed, { status, endSeq: claimed.firstSeq + events });
      const { run: ended } = await runs.finish(ending);
      expect(ended).toMatchObject({ runId: claimed.runId, endSeq: expect.any(Number) });
      return undefined;
    }
    const conversationId = this.#conversationIds[one.conversation] ?? "";
    if (!("run" in one)) {
      const call = one.call as "share" | "unshare" | "join" | "leave";
      await conversations[call](conversationId, one.user);
      return undefined;
    }
    const runId = this.#runIds[one.run] ?? "";
    const claim = await runs.claim({
      runId,
      conversationId,
      botId: "chat",
      userId: one.user,
      message: "Hello?",
    });
    if (claim.outcome === "claimed") {
      expect(this.#runs.has(runId), "a run was claimed twice").toBe(false);
      this.#runs.set(runId, claim.run);
    }
    return { ...claim, user: one.user, conversationId };
  }

  /** At most one run is running, and runs follow each other without sharing or skipping numbers. */
  async #checkNumbers(conversationId: string): Promise<void> {
    const { conversations, runs } = this.#store;
    const claimed = [...this.#runs.values()].filter((r) => r.conversationId === conversationId);
    const ended = await runs.endedBetween(conversationId, 0, 100);
    const running = await runs.running(conversationId);
    expect(ended.length + (running === undefined ? 0 : 1)).toBe(claimed.length);
    let last = 0;
    for (const one of ended) {
      expect(one.firstSeq).toBe(last + 1);
      last = one.endSeq ?? 0;
      expect(last).toBeGreaterThan(one.firstSeq);
    }
    expect(await conversations.lastSeq(conversationId)).toBe(last);
    if (running !== undefined) expect(running.firstSeq).toBe(last + 1);
  }

  async #checkSecrets(name: User, memberships: ReadonlySet<string>): Promise<void> {
    const { conversations, runs } = this.#store;
    const { items } = await conversations.list(name, { limit: 100 });
    const listed = new Set(items.map((item) => item.conversationId));
    for (const id of this.#conversationIds) {
      const member = memberships.has(`${name} ${id}`);
      expect(listed.has(id)).toBe(member);
      expect((await conversations.get(id, name)) !== undefined).toBe(member);
    }
    for (const { runId, conversationId } of this.#runs.values()) {
      const seen = await runs.get(runId, name);
      expect(seen !== undefined).toBe(memberships.has(`${name} ${conversationId}`));
    }
  }

  async #memberships(): Promise<Set<string>> {
    const found = new Set<string>();
    for (const name of users) {
      for (const id of this.#conversationIds) {
        if (await this.#store.conversations.isMember(id, name)) found.add(`${name} ${id}`);
      }
    }
    return found;
  }
}
