/** What Langwire sets itself, as ratios and differences against peers in the same run. */
import { nodesRuns } from "../measures/nodes.ts";
import { pacedRuns } from "../measures/paced.ts";
import { saturatedRuns } from "../measures/saturated.ts";
import { atLeast, atMost, atMostAbove, below, ownRatio, type Target } from "./target.ts";

export const targets: readonly Target[] = [
  ...saturatedRuns.map((runs) =>
    atMost(0.85, {
      title: `Saturated, ${runs} runs, CPU a token`,
      measure: "saturated",
      what: `usPerToken${runs}`,
      unit: "µs",
      than: "callbacks",
    }),
  ),
  ...pacedRuns.full.flatMap((runs) => [
    atMost(1, {
      title: `Paced, ${runs} runs, CPU`,
      measure: "paced",
      what: `cpuPercent${runs}`,
      unit: "%",
      than: "rawWs",
    }),
    atMostAbove(1, {
      title: `Paced, ${runs} runs, p50`,
      measure: "paced",
      what: `p50Ms${runs}`,
      unit: "ms",
      than: "rawWs",
      digits: 2,
    }),
    atMost(1.5, {
      title: `Paced, ${runs} runs, p99`,
      measure: "paced",
      what: `p99Ms${runs}`,
      unit: "ms",
      than: "rawWs",
    }),
  ]),
  ...(
    [
      [0.9, "rawWs"],
      [1.3, "aiSdk"],
      [2.2, "langgraphApi"],
    ] as const
  ).map(([factor, than]) =>
    atLeast(factor, {
      title: "Most runs with p99 under 100 ms",
      measure: "capacity",
      what: "runs",
      unit: "runs",
      than,
      digits: 0,
    }),
  ),
  below(2.5, {
    title: "Fan-out, saturated, CPU a delivery",
    measure: "fanout",
    what: "usPerDelivery",
    unit: "µs",
    digits: 2,
  }),
  atMost(2, {
    title: "Fan-out, 20 tokens/s, CPU a delivery",
    measure: "fanout",
    what: "pacedUsPerDelivery",
    unit: "µs",
    than: "rawWs",
    digits: 2,
  }),
  ...nodesRuns.full.flatMap((runs) => [
    ...(
      [
        ["oneNode", "One node on Redis", 1.15],
        ["threeNodes", "Three nodes on Redis", 1.6],
      ] as const
    ).flatMap(([of, nodes, factor]) => [
      atMost(factor, {
        title: `${nodes}, ${runs} runs, CPU a token`,
        measure: "nodes",
        what: `usPerToken${runs}`,
        unit: "µs",
        of,
        than: "langwire",
      }),
      below(12, {
        title: `${nodes}, ${runs} runs, Redis, CPU a token`,
        measure: "nodes",
        what: `redisUsPerToken${runs}`,
        unit: "µs",
        of,
      }),
    ]),
  ]),
  below(4, {
    title: "A reader that stops, over one that reads, memory in use",
    measure: "stoppedReader",
    what: "moreLiveMiB",
    unit: "MiB",
  }),
  ownRatio(1.5, {
    title: "Somebody else's answer while a reader has stopped",
    measure: "stoppedReader",
    of: "otherStoppedMs",
    to: "otherReadingMs",
  }),
  below(6_000, {
    title: "Idle socket, connected and authenticated",
    measure: "idle",
    what: "connectedBytes",
    unit: "B",
    digits: 0,
  }),
  below(16_000, {
    title: "Idle socket, watching",
    measure: "idle",
    what: "watchingBytes",
    unit: "B",
    digits: 0,
  }),
  ownRatio(0.05, {
    title: "Attaching to a finished run: frames an event",
    measure: "attach",
    of: "frames",
    to: "events",
  }),
  below(20, {
    title: "Attaching to a finished run: event loop held",
    measure: "attach",
    what: "heldMs",
    unit: "ms",
  }),
  below(15, {
    title: "Attaching to a run in the archive: first frame",
    measure: "attach",
    what: "archivedFirstMs",
    unit: "ms",
  }),
  below(10, {
    title: "A page of 50 messages with parts",
    measure: "history",
    what: "ms",
    unit: "ms",
  }),
  ...(["p50", "p99"] as const).map((quantile) =>
    atMost(2, {
      title: `600 runs begun within 50 ms, first token, ${quantile}`,
      measure: "burst",
      what: `${quantile}Ms`,
      unit: "ms",
      than: "rawWs",
      digits: 0,
    }),
  ),
  ownRatio(3, {
    title: "A saturated server's p99 while 10,000 clients reconnect",
    measure: "storm",
    of: "p99Ms",
    to: "calmP99Ms",
  }),
  atMostAbove(1, {
    title: "First token, warm",
    measure: "firstToken",
    what: "ms",
    unit: "ms",
    than: "rawWs",
    digits: 2,
  }),
  ownRatio(1.1, {
    title: "CPU a token, 20,000 tokens to 500",
    measure: "longAnswer",
    of: "usPerToken20000",
    to: "usPerToken500",
  }),
  below(3, {
    title: "Large answers: memory (RSS) by the text's bytes",
    measure: "largeAnswers",
    what: "timesText",
    unit: "×",
  }),
  atMostAbove(64, {
    title: "Answer after answer: memory (RSS)",
    measure: "endurance",
    what: "mostMiB",
    unit: "MiB",
    than: "rawWs",
    digits: 0,
  }),
  atMost(1.2, {
    title: "Answer after answer: p99",
    measure: "endurance",
    what: "p99Ms",
    unit: "ms",
    than: "rawWs",
  }),
  below(50, {
    title: "Answer after answer: longest pause",
    measure: "endurance",
    what: "pauseMs",
    unit: "ms",
    digits: 0,
  }),
  ownRatio(1.1, {
    title: "Restarts on one folder: memory (RSS), the fifth beside the first",
    measure: "restarts",
    of: "lastMiB",
    to: "firstMiB",
  }),
];
