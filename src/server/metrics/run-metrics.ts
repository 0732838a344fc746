/**
 * What runs did, counted as they end: nothing is counted for each token. Labels are of a bounded
 * set (bots, statuses, codes): no ids of users or conversations, and no text.
 */
import { Counter, Histogram, type Registry } from "prom-client";
import type { RunObserver } from "../../runs/observer.ts";

const runSeconds = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];
const firstTokenSeconds = [0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32];
const tokensPerSecond = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000];
const latencySeconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

export function observeRuns(registry: Registry): RunObserver {
  const registers = [registry];
  const started = new Counter({
    name: "langwire_runs_started_total",
    help: "Runs that began here.",
    labelNames: ["bot"],
    registers,
  });
  const ended = new Counter({
    name: "langwire_runs_total",
    help: "Runs that ended here, by how. The code is empty unless they failed.",
    labelNames: ["bot", "status", "code"],
    registers,
  });
  const duration = new Histogram({
    name: "langwire_run_duration_seconds",
    help: "From a run's start to its end.",
    labelNames: ["bot", "status"],
    buckets: runSeconds,
    registers,
  });
  const firstToken = new Histogram({
    name: "langwire_time_to_first_token_seconds",
    help: "From a run's start to its first token.",
    labelNames: ["bot"],
    buckets: firstTokenSeconds,
    registers,
  });
  const rate = new Histogram({
    name: "langwire_output_tokens_per_second",
    help: "Tokens that a run's models made, over the time from its first token to its end.",
    labelNames: ["bot"],
    buckets: tokensPerSecond,
    registers,
  });
  const tokens = new Counter({
    name: "langwire_tokens_total",
    help: "Tokens that providers counted.",
    labelNames: ["bot", "kind"],
    registers,
  });
  const providerCalls = new Counter({
    name: "langwire_provider_calls_total",
    help: "Requests to models' providers, those that were tried again included.",
    labelNames: ["bot"],
    registers,
  });
  const archived = new Counter({
    name: "langwire_archived_bytes_total",
    help: "Bytes of ended runs' events that the store has been given, compressed.",
    labelNames: ["bot"],
    registers,
  });
  const append = new Histogram({
    name: "langwire_append_seconds",
    help: "Until an event is stored and readable; one of each run is timed, its last.",
    buckets: latencySeconds,
    registers,
  });
  const delivery = new Histogram({
    name: "langwire_delivery_seconds",
    help: "From the log's having an event to its being handed to a reader's socket; a sample.",
    buckets: latencySeconds,
    registers,
  });
  const strays = new Counter({
    name: "langwire_bot_stray_errors_total",
    help: "Errors that got out of a bot's code by themselves, and were contained.",
    labelNames: ["bot", "kind"],
    registers,
  });
  const failures = new Counter({
    name: "langwire_failures_total",
    help: "Failures that no caller was told in full; the log has them.",
    registers,
  });

  return {
    runStarted: ({ botId }) => started.inc({ bot: botId }),
    runEnded: ({ botId: bot, startedAt }, ending) => {
      const { status, usage, firstTokenMs, appendMs, archivedBytes } = ending;
      const seconds = (Date.now() - Date.parse(startedAt)) / 1_000;
      ended.inc({ bot, status, code: ending.error?.code ?? "" });
      duration.observe({ bot, status }, seconds);
      providerCalls.inc({ bot }, ending.providerCalls ?? 0);
      if (archivedBytes !== undefined) archived.inc({ bot }, archivedBytes);
      if (appendMs !== undefined) append.observe(appendMs / 1_000);
      if (usage !== undefined) {
        tokens.inc({ bot, kind: "input" }, usage.inputTokens);
        tokens.inc({ bot, kind: "output" }, usage.outputTokens);
      }
      if (firstTokenMs === undefined) return;
      firstToken.observe({ bot }, firstTokenMs / 1_000);
      const writing = seconds - firstTokenMs / 1_000;
      if (usage !== undefined && writing > 0) rate.observe({ bot }, usage.outputTokens / writing);
    },
    delivered: (afterMs) => delivery.observe(afterMs / 1_000),
    strayError: ({ botId, kind }) => strays.inc({ bot: botId, kind }),
    failed: () => failures.inc(),
  };
}
