/** How each measure is shown. */
import { burstRuns } from "../measures/burst.ts";
import { stepRuns } from "../measures/capacity.ts";
import { enduranceMinutes, enduranceRuns } from "../measures/endurance.ts";
import { warmAfterRuns } from "../measures/first-token.ts";
import { largeAnswerMiB, largeAnswers } from "../measures/large-answers.ts";
import { answerLengths } from "../measures/long-answer.ts";
import { nodesRuns } from "../measures/nodes.ts";
import { pacedRuns } from "../measures/paced.ts";
import { restartRuns } from "../measures/restarts.ts";
import { saturatedRuns } from "../measures/saturated.ts";
import { stormClients } from "../measures/storm.ts";

export interface Column {
  readonly what: string;
  readonly head: string;
  readonly digits: number;
}

export interface Table {
  readonly title: string;
  readonly note: string;
  readonly columns: readonly Column[];
}

const column = (what: string, head: string, digits = 1): Column => ({ what, head, digits });

export const columns: Readonly<Record<string, Table>> = {
  saturated: {
    title: "Saturated",
    note: "Answers of 300 tokens, the provider as fast as it is read, 32 events a write. Server CPU, µs a token.",
    columns: saturatedRuns.map((runs) => column(`usPerToken${runs}`, `${runs} runs`)),
  },
  paced: {
    title: "Paced",
    note: "One token each 50 ms a run, one event a packet, all runs out of phase. Server CPU as a share of its core; from the provider's write to the client's receipt, ms.",
    columns: pacedRuns.full.flatMap((runs) => [
      column(`cpuPercent${runs}`, `${runs}: CPU %`),
      column(`p50Ms${runs}`, `${runs}: p50 ms`, 2),
      column(`p99Ms${runs}`, `${runs}: p99 ms`),
      column(`tokensPerSecond${runs}`, `${runs}: tokens/s`, 0),
    ]),
  },
  capacity: {
    title: "Capacity",
    note: `Most runs at 20 tokens/s with 99 of 100 tokens within 100 ms; ${stepRuns} more at each step, 0 for not even the first ${stepRuns}. Langwire with MAX_LIVE_RUNS raised to 2,000.`,
    columns: [column("runs", "runs", 0)],
  },
  fanout: {
    title: "Fan-out",
    note: "One run to 1,000 other readers. Server CPU, µs a token delivered.",
    columns: [
      column("usPerDelivery", "saturated", 2),
      column("pacedUsPerDelivery", "20 tokens/s", 2),
    ],
  },
  nodes: {
    title: "Several nodes",
    note: "One token each 50 ms a run, each run with one reader, at the node after the one that works on it. CPU of all servers together, of Redis, and reads that Redis made from its connections, for each token; from the provider's write to the client's receipt, ms. All servers are on one core.",
    columns: nodesRuns.full.flatMap((runs) => [
      column(`usPerToken${runs}`, `${runs}: µs a token`),
      column(`redisUsPerToken${runs}`, `${runs}: Redis, µs`),
      column(`redisReadsPerToken${runs}`, `${runs}: Redis, reads`, 2),
      column(`p50Ms${runs}`, `${runs}: p50 ms`, 2),
      column(`p99Ms${runs}`, `${runs}: p99 ms`),
    ]),
  },
  stoppedReader: {
    title: "A reader that stops",
    note: "Twenty answers of 3 MB: to one who reads along in a room, where there are rooms; else to whoever asked. By how much the server grew, MiB, resident (which keeps what garbage has left) and in use; and an answer of 300 tokens to somebody else, ms. A server that waits for its reader leaves the answers at the provider.",
    columns: [
      column("readingMiB", "reads"),
      column("stoppedMiB", "stops"),
      column("moreMiB", "more"),
      column("readingLiveMiB", "in use: reads"),
      column("stoppedLiveMiB", "in use: stops"),
      column("moreLiveMiB", "in use: more"),
      column("otherReadingMs", "other, meanwhile: reads"),
      column("otherStoppedMs", "other, meanwhile: stops"),
    ],
  },
  idle: {
    title: "Idle sockets",
    note: "5,000 sockets. Server memory (RSS) for each, bytes.",
    columns: [
      column("connectedBytes", "connected", 0),
      column("watchingBytes", "watching a conversation of its own", 0),
    ],
  },
  attach: {
    title: "Attaching to a finished run",
    note: "5,000 tokens, an event each; ten readers, one after the other, of the log and, later, of the archive.",
    columns: [
      column("events", "events", 0),
      column("frames", "frames", 0),
      column("heldMs", "event loop held at most, ms"),
      column("firstMs", "first frame, ms"),
      column("archivedHeldMs", "archive: loop held, ms"),
      column("archivedFirstMs", "archive: first frame, ms"),
    ],
  },
  history: {
    title: "A page of history",
    note: "Fifty messages of a conversation with an agent, each answer with three tool calls, by `conversations.messages`, ms.",
    columns: [column("coldMs", "the first", 1), column("ms", "median of the next 100", 2)],
  },
  firstToken: {
    title: "First token",
    note: `From sending the message to the first token, one run at a time, ms: medians of the runs 51 to 150 of a process, and of 200 after its first ${warmAfterRuns}.`,
    columns: [column("freshMs", "run 51 to 150", 2), column("ms", "warm", 2)],
  },
  burst: {
    title: "Burst",
    note: `${burstRuns} users send within 50 ms, to a server that has done so twice before. From sending the message to the first token, ms.`,
    columns: [column("p50Ms", "p50 ms", 0), column("p99Ms", "p99 ms", 0)],
  },
  storm: {
    title: "Everybody back at once",
    note: `${stormClients.toLocaleString("en")} clients, each watching a conversation of its own, lose their connections in one moment and come back by the client's own backoff, while 16 runs as fast as the provider is read take what is left of the server's core. From the provider's write to the client's receipt, of 100 other runs at 20 tokens/s, ms: the clients share one core with the provider.`,
    columns: [
      column("calmP99Ms", "p99 before"),
      column("p99Ms", "p99 meanwhile"),
      column("maxMs", "longest meanwhile", 0),
      column("halfMs", "until half are back", 0),
      column("tookMs", "until all are", 0),
      column("attempts", "attempts", 0),
    ],
  },
  largeAnswers: {
    title: "Large answers",
    note: `${largeAnswers} answers of ${largeAnswerMiB.toFixed(1)} MiB at once, to readers that read. The server's memory (RSS), MiB.`,
    columns: [
      column("beforeMiB", "before", 0),
      column("grownMiB", "grown by", 0),
      column("timesText", "by the text's bytes, ×"),
    ],
  },
  endurance: {
    title: "Answer after answer",
    note: `${enduranceRuns.full} runs at 20 tokens/s for ${enduranceMinutes} minutes, unless it was called with others (\`--runs\`, \`--minutes\`); one answer of 20 s after the other. The server's memory (RSS), MiB; from the provider's write to the client's receipt, ms; for how long its event loop was held at the most.`,
    columns: [
      column("minuteMiB", "most in the first minute", 0),
      column("mostMiB", "most", 0),
      column("lastMiB", "at the end", 0),
      column("p50Ms", "p50 ms"),
      column("p99Ms", "p99 ms"),
      column("pauseMs", "longest pause, ms", 0),
      column("cpuPercent", "CPU, %"),
    ],
  },
  restarts: {
    title: "Restarts",
    note: `Five starts on one folder, each with ${restartRuns} runs at 20 tokens/s for 20 seconds. The most that the server holds (RSS), MiB.`,
    columns: [column("firstMiB", "the first", 0), column("lastMiB", "the last", 0)],
  },
  longAnswer: {
    title: "Long answers",
    note: "Four runs at once, saturated. Server CPU, µs a token.",
    columns: answerLengths.map((tokens) =>
      column(`usPerToken${tokens}`, `${tokens.toLocaleString("en")} tokens`),
    ),
  },
};
