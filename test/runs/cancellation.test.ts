/** A run of another process is cancelled: asked for there, and waited for in the store. */
import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { LangwireError } from "../../src/protocol/errors.ts";
import type { RunStatus } from "../../src/protocol/events.ts";
import type { Cluster } from "../../src/runs/cluster/cluster.ts";
import type { Notice } from "../../src/runs/cluster/notices.ts";
import { Cancellation } from "../../src/runs/lifecycle/cancellation.ts";
import type { Store } from "../../src/store/store.ts";

const runId = randomUUID();
/** Longer than one look into the store and the next are ever apart. */
const lookMs = 500;

function setUp() {
  const members = new Set(["ann", "bob"]);
  const notices: Notice[] = [];
  const store = { status: "running" as RunStatus, away: false, asked: 0 };
  const get = async (id: string, userId: string) => {
    store.asked += 1;
    if (store.away) throw new LangwireError("STORE_UNAVAILABLE");
    return id === runId && members.has(userId) ? { runId, status: store.status } : undefined;
  };
  const cancellation = new Cancellation({
    store: { runs: { get } } as unknown as Store,
    cluster: { publish: (notice: Notice) => void notices.push(notice) } as unknown as Cluster,
    cancelHere: async () => undefined,
  });
  /** Its answer, or the code of its refusal. */
  const cancel = (userId: string, id = runId) =>
    cancellation.cancel({ userId }, id).then(
      ({ status }) => status,
      (cause: LangwireError) => cause.code,
    );
  return { members, notices, store, cancel };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

test("whoever cancels it is told how it ended; nobody else is told anything", async () => {
  const { notices, store, cancel } = setUp();
  expect([await cancel("eve"), await cancel("ann", randomUUID())]).toEqual(
    Array(2).fill("NOT_FOUND"),
  );
  expect(notices).toEqual([]);
  const cancelled = cancel("ann");
  await vi.advanceTimersByTimeAsync(3 * lookMs);
  store.status = "cancelled";
  await vi.advanceTimersByTimeAsync(lookMs);
  expect(await cancelled).toBe("cancelled");
  expect(notices).toEqual([{ type: "stop", runId }]);
  // One that is over asks for nothing any more.
  expect(await cancel("bob")).toBe("cancelled");
  expect(notices).toHaveLength(1);
});

test("all who cancel it at once wait together, whoever of them is removed meanwhile", async () => {
  const { members, notices, store, cancel } = setUp();
  const [first, ...others] = [cancel("ann"), cancel("bob"), cancel("bob")];
  await vi.advanceTimersByTimeAsync(lookMs);
  expect(notices).toHaveLength(1);
  const { asked } = store;
  await vi.advanceTimersByTimeAsync(10 * lookMs);
  expect(store.asked - asked).toBeLessThanOrEqual(11);
  members.delete("ann");
  await vi.advanceTimersByTimeAsync(2 * lookMs);
  expect(await first).toBe("NOT_FOUND");
  store.status = "cancelled";
  await vi.advanceTimersByTimeAsync(lookMs);
  expect(await Promise.all(others)).toEqual(["cancelled", "cancelled"]);
});

test("one that came to nothing is not the answer to the next", async () => {
  const { store, notices, cancel } = setUp();
  const cancelled = cancel("ann");
  await vi.advanceTimersByTimeAsync(lookMs);
  store.away = true;
  await vi.advanceTimersByTimeAsync(lookMs);
  expect(await cancelled).toBe("STORE_UNAVAILABLE");
  store.away = false;
  const late = cancel("ann");
  // Its process is gone, and nobody has ended it yet.
  await vi.advanceTimersByTimeAsync(31_000);
  expect(await late).toBe("STORE_UNAVAILABLE");
  const again = cancel("ann");
  await vi.advanceTimersByTimeAsync(lookMs);
  store.status = "failed";
  await vi.advanceTimersByTimeAsync(lookMs);
  expect(await again).toBe("failed");
  expect(notices).toHaveLength(3);
});
