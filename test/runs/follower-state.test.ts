/** Every state of a follower, and every input to it. */
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import {
  type FollowerState,
  initialState,
  stateInputs,
} from "../../src/runs/following/follower-state.ts";

function reachable(): FollowerState[] {
  const found = new Set([initialState]);
  for (const state of found) for (const input of stateInputs) found.add(state.on[input]);
  return [...found];
}

const states = reachable();
const shown = ({ name, unread }: FollowerState) => `${name}${unread ? "*" : ""}`;

test("the states are those of the table, and a state is one object", async () => {
  const source = new URL("../../src/runs/following/follower-state.ts", import.meta.url);
  const table = [...(await readFile(source, "utf8")).matchAll(/^ \* \| (\w+) +\|/gm)];
  const [, ...names] = table.map(([, name]) => name);
  expect(new Set(states.map(({ name }) => name))).toEqual(new Set(names));
  expect(new Set(states.map(shown)).size).toBe(states.length);
});

test("that the log changed is never lost: only a read takes it back", () => {
  for (const state of states.filter(({ name }) => name !== "closed")) {
    expect(state.on.changed.unread).toBe(true);
    if (!state.unread) continue;
    for (const input of stateInputs) {
      const { name, unread } = state.on[input];
      const isRead = state.name === "ready" && input === "drained" && name === "reading";
      expect([shown(state), input, unread || isRead || name === "closed"]).toContain(true);
    }
  }
});

test("nobody waits for the log while it may have more", () => {
  expect(states.map(shown)).not.toContain("idle*");
  expect(states.map(shown)).not.toContain("checking*");
});

test("a wait begins only where none is under way, but for the one that a read finds necessary", () => {
  const waits = new Set(["reading", "backfilling", "checking", "paced", "yielding"]);
  for (const state of states.filter(({ name }) => waits.has(name))) {
    for (const input of stateInputs) {
      const next = state.on[input].name;
      if (next === state.name || !waits.has(next)) continue;
      expect([state.name, input, next]).toEqual(["reading", "gap", "backfilling"]);
    }
  }
});

test("every wait comes to an end, and closed is for good", () => {
  for (const state of states) {
    expect(state.on.close.name).toBe("closed");
    if (state.name === "closed")
      for (const input of stateInputs) expect(state.on[input]).toBe(state);
    else if (state.name !== "idle") expect(state.on.settled.name).toBe("ready");
  }
});

/** Where each input leads that changes anything, state by state: the table again, in the test's words. */
const transitions: Record<string, Record<string, string>> = {
  ready: { changed: "ready*", drained: "idle", busy: "paced*", turnOver: "yielding" },
  "ready*": { drained: "reading", busy: "paced*", turnOver: "yielding*" },
  idle: { changed: "ready*", silence: "checking" },
  reading: { changed: "reading*", gap: "backfilling", found: "ready*", settled: "ready" },
  "reading*": { gap: "backfilling*", found: "ready*", settled: "ready*" },
  backfilling: { changed: "backfilling*", found: "ready*", settled: "ready" },
  "backfilling*": { found: "ready*", settled: "ready*" },
  checking: { changed: "ready*", found: "ready*", settled: "ready" },
  "paced*": { settled: "ready*" },
  yielding: { changed: "yielding*", settled: "ready" },
  "yielding*": { settled: "ready*" },
  closed: {},
};

test("each input leads where the table says, and from everywhere else nowhere", () => {
  expect(shown(initialState)).toBe("ready*");
  expect(states.map(shown).sort()).toEqual(Object.keys(transitions).sort());
  for (const state of states) {
    for (const input of stateInputs) {
      const next = input === "close" ? "closed" : transitions[shown(state)]?.[input];
      expect([shown(state), input, shown(state.on[input])]).toEqual([
        shown(state),
        input,
        next ?? shown(state),
      ]);
    }
  }
});
