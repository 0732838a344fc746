/** Tests wait for what happens, not for time to pass, and for longer than a busy machine takes. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path/posix";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { limits } from "../../vitest.config.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const files = ["test", "examples", "create"]
  .flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((name) =>
      join(folder, name),
    ),
  )
  .filter((name) => /\.tsx?$/.test(name) && !name.includes("node_modules"))
  // Slips are quoted there; and copies of the tests may lie beside them.
  .filter((name) => !/^test\/mutants\/|waits\.test\.ts$/.test(name));

function found(pattern: RegExp): { name: string; match: RegExpMatchArray }[] {
  return files.flatMap((name) => {
    const text = readFileSync(join(root, name), "utf8");
    return [...text.matchAll(pattern)].map((match) => ({ name, match }));
  });
}

const pace = "how fast what is scripted comes";
const fault = "how long a fault lasts";
const between = "between two looks at what does not tell";
const limit = "what hangs fails";

/** How often each file lets real time pass, and what for. One more is a reason that belongs here. */
const waits: Readonly<Record<string, readonly [times: number, what: string]>> = {
  "test/bots/event-fetch.test.ts": [5, `${pace}; readers who do not read`],
  "test/client/script.test.ts": [1, "a program gives up"],
  "test/cluster/asking.ts": [2, `${between}; ${limit}`],
  "test/cluster/chaos/conversation.ts": [7, "when whom"],
  "test/cluster/chaos/reader.ts": [1, "a client's own patience"],
  "test/cluster/chaos/round.ts": [3, `when a fault begins; ${between}`],
  "test/cluster/chaos/world.ts": [10, fault],
  "test/cluster/processes.test.ts": [3, `${fault}; ${between}`],
  "test/cluster/redis-faults.test.ts": [3, fault],
  "test/cluster/removal.test.ts": [1, fault],
  "test/cluster/standing-still.test.ts": [1, "a lease would have ended by then"],
  "test/faults/crashes.test.ts": [1, fault],
  "test/faults/experience.ts": [1, between],
  "test/faults/flood-caller.ts": [9, pace],
  "test/faults/hostile-caller.ts": [5, pace],
  "test/faults/network.ts": [3, fault],
  "test/faults/reconnects.alone.test.ts": [1, pace],
  "test/faults/stalled-sockets.alone.test.ts": [1, between],
  "test/faults/stray-server.ts": [7, "what its bots do too late"],
  "test/ops/documented-proxies.ts": [1, between],
  "test/ops/signals.test.ts": [3, "two signals that are one wish, or two; that nothing happens"],
  "test/page/quality.test.ts": [1, pace],
  "test/react/chat-refusals.test.ts": [1, "in a later turn"],
  "test/runs/lifecycle.test.ts": [1, "timers come in the order in which they are due"],
  "test/security/fuzz-http.test.ts": [2, "how long a stream is watched"],
  "test/security/fuzzed-server.ts": [1, limit],
  "test/store/postgres-faults.test.ts": [1, between],
  "test/support/memory-cgroup.ts": [1, between],
  "test/support/mock-provider.ts": [4, pace],
  "test/support/postgres-proxy.ts": [4, fault],
  "test/support/postgres.ts": [1, between],
  "test/support/redis-cluster.ts": [1, between],
  "test/support/redis.ts": [1, between],
  "test/support/tcp-proxy.ts": [3, fault],
};

test("real time passes only where it is what is tried", () => {
  const counts: Record<string, number> = {};
  for (const { name } of found(/(?<![.\w#"])(?:delay|sleep|setTimeout)\(/g)) {
    counts[name] = (counts[name] ?? 0) + 1;
  }
  const told = Object.entries(waits).map(([name, [times]]) => [name, times]);
  expect(counts).toEqual(Object.fromEntries(told));
});

test("nothing gives up sooner than the tests' own limits, which a busy machine needs", () => {
  const { testTimeout, expect: polls } = limits;
  const own = [
    // Their limit is a second where none is given.
    ...found(/\bvi\.(?:waitFor|waitUntil)\(/g),
    ...found(/\.poll\([^;]*?timeout: ([\d_]+)/g).filter((it) => isBelow(it, polls.poll.timeout)),
    ...found(/(?<!poll\([^;]*)\{\s*timeout: ([\d_]+),?\s*\}, (?:async )?\(/g).filter((it) =>
      isBelow(it, testTimeout),
    ),
    ...found(/^\s*\}, ([\d_]{4,})\);$/gm).filter((it) => isBelow(it, testTimeout)),
    ...found(/^\s*\},\n\s*([\d_]{4,}),\n\s*\);$/gm).filter((it) => isBelow(it, testTimeout)),
  ];
  expect(own.map(({ name, match }) => `${name}: ${match[0]}`)).toEqual([]);
});

function isBelow({ match }: { match: RegExpMatchArray }, ms: number): boolean {
  return Number(match[1]?.replaceAll("_", "")) < ms;
}
