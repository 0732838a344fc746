/**
 * Drives any number of clients and checks every answer. Runs in the clients' process, or inside the
 * measured process itself for what has no server.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "../clients/client.ts";
import { AnswerCheck, type Wanted, wish } from "./answers.ts";

export interface Load {
  readonly wanted: Wanted;
  /** Runs of each client, one after the other. */
  readonly runsEach: number;
  /** The clients start spread over this time. */
  readonly spreadMs: number;
  /** Characters of the message; as many as it needs without it. */
  readonly messageLength?: number;
  /** Where others read along. */
  readonly room?: string;
}

export class Latencies {
  #values: number[] = [];
  #recording = false;

  readonly add = (ms: number): void => {
    if (this.#recording) this.#values.push(ms);
  };

  start(): void {
    this.#values = [];
    this.#recording = true;
  }

  /** Quantiles in ms of what came since the start. */
  stop(): { count: number; p50: number; p99: number; max: number } {
    this.#recording = false;
    const sorted = Float64Array.from(this.#values).sort();
    const at = (share: number): number =>
      sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
    return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
  }
}

export async function drive(
  clients: readonly Client[],
  { wanted, runsEach, spreadMs, messageLength = 0, room }: Load,
  latencies?: Latencies,
): Promise<void> {
  const message = `${wish(wanted)} `.padEnd(messageLength, "x");
  await Promise.all(
    clients.map(async (client, index) => {
      if (spreadMs > 0) await sleep((spreadMs * index) / clients.length);
      for (let run = 0; run < runsEach; run++) {
        const check = new AnswerCheck(wanted, latencies?.add);
        await client.send(message, (piece) => check.add(piece), room);
        check.end();
      }
    }),
  );
}
