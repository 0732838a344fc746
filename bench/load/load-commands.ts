/** The commands by which a load is driven from outside, in whatever process the clients are. */
import { hrtime } from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "../clients/client.ts";
import { AnswerCheck, type Wanted, wish } from "./answers.ts";
import { drive, Latencies, type Load } from "./drive.ts";

const fanoutTimeoutMs = 60_000;

export function loadCommands(clients: () => readonly Client[]) {
  const latencies = new Latencies();
  /** Loads that go on while other commands are served. */
  const running = new Set<Promise<void>>();
  let failure: Error | undefined;
  const stopping = new AbortController();

  async function sendUntil(one: Client, wanted: Wanted, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await drive([one], { wanted, runsEach: 1, spreadMs: 0 }, latencies);
    }
  }

  function client(index: number): Client {
    const found = clients()[index];
    if (found === undefined) throw new Error(`there is no client ${index}`);
    return found;
  }

  return {
    drive: ({ first = 0, count, ...load }: Load & { first?: number; count: number }) =>
      drive(clients().slice(first, first + count), load, latencies),

    /** As `drive`, without waiting for the end; `finish` does. */
    begin: ({ first, count, ...load }: Load & { first: number; count: number }) => {
      const driven = drive(clients().slice(first, first + count), load, latencies);
      driven.catch((cause) => {
        failure ??= cause;
      });
      running.add(driven);
    },
    finish: async () => {
      await Promise.all(running);
      running.clear();
    },
    /** Each sends one message after the other, until `stopSending`. */
    keepSending: ({ first, count, wanted }: { first: number; count: number; wanted: Wanted }) => {
      for (const one of clients().slice(first, first + count)) {
        running.add(sendUntil(one, wanted, stopping.signal));
      }
    },
    stopSending: async () => {
      stopping.abort();
      await Promise.all(running);
      running.clear();
    },
    failure: () => failure?.message,

    startLatencies: () => latencies.start(),
    stopLatencies: () => latencies.stop(),

    /** Sends one message after the other. @returns ms from each to the first token of its answer */
    firstTokens: async ({ count, wanted }: { count: number; wanted: Wanted }) => {
      const times: number[] = [];
      for (let run = 0; run < count; run++) times.push(await firstTokenMs(client(0), wanted));
      return times;
    },
    /** Every client sends one message, all within that time. @returns as `firstTokens` */
    burst: ({ withinMs, wanted }: { withinMs: number; wanted: Wanted }) =>
      Promise.all(
        clients().map(async (one, index, { length }) => {
          await sleep((withinMs * index) / length);
          return await firstTokenMs(one, wanted);
        }),
      ),

    /** The first client sends, all others read along. Settles when every one has had all of it. */
    fanOut: async ({ room, wanted, runs }: { room: string; wanted: Wanted; runs: number }) => {
      for (let run = 0; run < runs; run++) {
        const { promise, resolve, reject } = Promise.withResolvers<void>();
        const timer = setTimeout(() => reject(new Error("a watcher has no end")), fanoutTimeoutMs);
        let left = watchers.length;
        for (const watcher of watchers) {
          watcher.check = new AnswerCheck(wanted, latencies.add);
          watcher.onEnd = () => {
            if (--left === 0) resolve();
          };
        }
        const check = new AnswerCheck(wanted);
        await client(0).send(wish(wanted), (piece) => check.add(piece), room);
        check.end();
        await promise;
        clearTimeout(timer);
        for (const { check } of watchers) check?.end();
      }
    },
    /** The last client reads so many answers along; `finish` waits for them. */
    watchAnswers: ({ wanted, runs }: { wanted: Wanted; runs: number }) => {
      const watcher = watchers.at(-1);
      if (watcher === undefined) throw new Error("nobody watches");
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      promise.catch((cause) => {
        failure ??= cause;
      });
      running.add(promise);
      let left = runs;
      watcher.check = new AnswerCheck(wanted);
      watcher.onEnd = () => {
        try {
          watcher.check?.end();
        } catch (cause) {
          reject(cause);
        }
        watcher.check = new AnswerCheck(wanted);
        if (--left === 0) resolve();
      };
    },
    watch: async ({ room, ownRooms = false }: { room: string; ownRooms?: boolean }) => {
      if (!ownRooms) await client(0).createRoom?.(room);
      for (const [index, one] of clients()
        .slice(ownRooms ? 0 : 1)
        .entries()) {
        const watcher: Watcher = { check: undefined, onEnd: () => {} };
        watchers.push(watcher);
        const its = ownRooms
          ? `${room.slice(0, -12)}${index.toString(16).padStart(12, "0")}`
          : room;
        if (ownRooms) await one.createRoom?.(its);
        await one.watch?.(
          its,
          (piece) => watcher.check?.add(piece),
          () => watcher.onEnd(),
        );
      }
    },
    pause: (index: number) => client(index).pause?.(),
    resume: (index: number) => client(index).resume?.(),
  };
}

/** Settles when the answer is whole. @returns ms from sending to its first token */
async function firstTokenMs(client: Client, wanted: Wanted): Promise<number> {
  const check = new AnswerCheck(wanted);
  const sentAt = hrtime.bigint();
  let firstAt: bigint | undefined;
  await client.send(wish(wanted), (piece) => {
    firstAt ??= hrtime.bigint();
    check.add(piece);
  });
  check.end();
  return Number((firstAt ?? 0n) - sentAt) / 1e6;
}

interface Watcher {
  check: AnswerCheck | undefined;
  onEnd: () => void;
}

const watchers: Watcher[] = [];
