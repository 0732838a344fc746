/** What a reader that stops reading costs the server in memory, and the others in time. */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Measure } from "../parts/measure.ts";
import type { PeerName } from "../parts/peers.ts";
import { Stage } from "../parts/stage.ts";

/** Twenty answers of 3 MB. */
const answers = 20;
const wanted = { kind: "fast", tokens: 3_000, tokenLength: 1_000 } as const;
const small = { kind: "fast", tokens: 300 } as const;
const stuckMs = 4_000;
const mebibyte = 1024 * 1024;

export const stoppedReader: Measure = {
  name: "stoppedReader",
  peers: {
    quick: ["langwire"],
    full: ["langwire", "rawWs", "aiSdk", "langgraphApi", "socketIo", "plainTrpc"],
  },
  rounds: { quick: 1, full: 5 },
  sample: async (peer) => {
    const reading = await grown(peer, "reads");
    const stopped = await grown(peer, "stops");
    return {
      readingMiB: reading.residentMiB,
      stoppedMiB: stopped.residentMiB,
      moreMiB: stopped.residentMiB - reading.residentMiB,
      readingLiveMiB: reading.liveMiB,
      stoppedLiveMiB: stopped.liveMiB,
      moreLiveMiB: stopped.liveMiB - reading.liveMiB,
      otherReadingMs: reading.otherMs,
      otherStoppedMs: stopped.otherMs,
    };
  },
};

/** In rooms, the reader is one who reads along; elsewhere, it reads what it has asked for. */
const withRooms: ReadonlySet<PeerName> = new Set(["langwire", "rawWs", "socketIo"]);

async function grown(peer: PeerName, reader: "reads" | "stops") {
  await using stage = await Stage.open({ peer });
  await stage.connect(2, { oneUser: true });
  await stage.drive({ wanted, runsEach: 2, spreadMs: 0, count: 2 });
  const inRoom = withRooms.has(peer);
  const room = randomUUID();
  if (inRoom) await stage.load.call("watch", { room });
  const before = await stage.memory();
  const stoppedClient = inRoom ? 1 : 0;
  if (reader === "stops") await stage.load.call("pause", stoppedClient);
  if (inRoom) {
    await stage.load.call("watchAnswers", { wanted, runs: answers });
    await stage.drive({ wanted, runsEach: answers, spreadMs: 0, count: 1, room });
  } else {
    await askForAll(stage);
  }
  if (reader === "reads") await stage.load.call("finish");
  await stage.quiet();
  const startedAt = performance.now();
  const other = 1 - stoppedClient;
  await stage.drive({ wanted: small, runsEach: 10, spreadMs: 0, first: other, count: 1 });
  const otherMs = (performance.now() - startedAt) / 10;
  const after = await stage.memory();
  // What was kept back for the reader is whole, and still there.
  if (reader === "stops") {
    await stage.load.call("resume", stoppedClient);
    await stage.load.call("finish");
  }
  return {
    residentMiB: (after.residentBytes - before.residentBytes) / mebibyte,
    liveMiB: (after.liveBytes - before.liveBytes) / mebibyte,
    otherMs,
  };
}

async function askForAll(stage: Stage): Promise<void> {
  let patienceMs = stuckMs;
  for (let answer = 0; answer < answers; answer++) {
    await stage.load.call("begin", { first: 0, count: 1, wanted, runsEach: 1, spreadMs: 0 });
    // A server that waits for its reader will not take the other answers either.
    if (!(await answered(stage, patienceMs))) patienceMs = 200;
  }
}

/** @returns whether the provider could write all, or had to keep it because the server takes no more */
async function answered(stage: Stage, patienceMs: number): Promise<boolean> {
  const startedAt = performance.now();
  do {
    await sleep(100);
    if ((await stage.provider.call<number>("unanswered")) === 0) return true;
  } while (performance.now() - startedAt < patienceMs);
  return false;
}
