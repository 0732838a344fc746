/** One round: conversations in use while faults come, then quiet, then the verdict. */
import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import type { Message } from "../../../src/protocol/conversations.ts";
import { within } from "../../../src/time/within.ts";
import { codeOf, wsClient } from "../../support/stock-client.ts";
import { ChaosConversation } from "./conversation.ts";
import { describeFault, type PlannedFault } from "./faults.ts";
import { Ledger, toldEnd } from "./ledger.ts";
import type { ChaosWorld } from "./world.ts";

export interface RoundOptions {
  readonly world: ChaosWorld;
  readonly seed: number;
  readonly faults: readonly PlannedFault[];
  readonly conversations: number;
  /** How long after the last fault everything may take to be in order. */
  readonly quietMs: number;
}

export interface RoundReport {
  readonly violations: readonly string[];
  readonly runs: number;
  /** What happened and when, for whoever looks into a violation. */
  readonly faults: readonly string[];
}

interface StoredRun {
  readonly run_id: string;
  readonly conversation_id: string;
  readonly status: string;
  readonly text: string | null;
  readonly error: string | null;
}

/** Below what one socket may subscribe to. */
const readAgainAtOnce = 50;

export async function playRound(options: RoundOptions): Promise<RoundReport> {
  const { world, faults, seed } = options;
  const ledger = new Ledger();
  await using stack = new AsyncDisposableStack();
  const ports = () => world.ports;
  const { cluster } = world;
  const conversations = await Promise.all(
    Array.from({ length: options.conversations }, async (_, index) => {
      const name = `${seed}-${index}`;
      const shared = { cluster, ledger, ports, name, seed: seed * 1_000 + index * 10 };
      return stack.use(await ChaosConversation.start(shared));
    }),
  );
  world.ledger = ledger;
  const over = new AbortController();
  const users = conversations.flatMap((it) => [it.send(over.signal), it.change(over.signal)]);
  const began = performance.now();
  await Promise.all(
    faults.map(async (planned) => {
      await delay(Math.max(0, began + planned.startMs - performance.now()));
      await world.inflict(planned);
    }),
  );
  over.abort();
  await world.heal();
  const verdict = new Verdict(options, ledger, conversations);
  await verdict.find(users);
  world.ledger = undefined;
  const runs = conversations.reduce((sum, { sent }) => sum + sent.size, 0);
  return { violations: ledger.violations, runs, faults: faults.map(describeFault) };
}

class Verdict {
  readonly #options: RoundOptions;
  readonly #ledger: Ledger;
  readonly #conversations: readonly ChaosConversation[];
  readonly #quietFromMs = performance.now();

  constructor(options: RoundOptions, ledger: Ledger, conversations: readonly ChaosConversation[]) {
    this.#options = options;
    this.#ledger = ledger;
    this.#conversations = conversations;
  }

  async find(users: readonly Promise<void>[]): Promise<void> {
    await this.#inTime(Promise.all(users), "somebody who asks was not answered");
    for (const { sent } of this.#conversations) {
      for (const [runId, reader] of sent) await this.#sentIsOver(runId, reader.over, reader.name);
    }
    await this.#until(
      async () => (await this.#running()).length === 0,
      async () => {
        return `in progress for ever: ${(await this.#running()).join(", ")}`;
      },
    );
    for (const conversation of this.#conversations) {
      if (!conversation.deleted) await this.#goesOn(conversation);
    }
    await this.#sameEverywhere();
    this.#billedOnce();
  }

  get #leftMs(): number {
    return Math.max(1_000, this.#quietFromMs + this.#options.quietMs - performance.now());
  }

  async #sentIsOver(runId: string, over: Promise<string>, name: string): Promise<void> {
    await this.#inTime(over, `${name} was told no end of ${runId}`);
  }

  async #inTime(work: Promise<unknown>, otherwise: string): Promise<void> {
    const inTime = await within(
      work.then(() => true),
      this.#leftMs,
    );
    if (inTime === undefined) this.#ledger.violation(otherwise);
  }

  async #until(holds: () => Promise<boolean>, otherwise: () => Promise<string>): Promise<void> {
    const deadlineMs = performance.now() + this.#leftMs;
    while (!(await holds())) {
      if (performance.now() > deadlineMs) return this.#ledger.violation(await otherwise());
      await delay(100);
    }
  }

  /** The member comes back, runs are completed, and all who watch have their ends, on any node. */
  async #goesOn(conversation: ChaosConversation): Promise<void> {
    await this.#inTime(conversation.admit(), "a member who joins was not answered");
    const asked = [await this.#probe(conversation)];
    for (const { name, isOver, over } of conversation.memberReaders) {
      if (isOver) this.#ledger.violation(`${name}, of a member, is over: ${await over}`);
    }
    for (const watcher of conversation.watchers) {
      // Who had no place yet may have begun to watch after the first one, or after one that somebody
      // else had to be asked with: it hears of one of them.
      const heard = () => asked.some((runId) => watcher.endOf(runId) !== undefined);
      await this.#until(
        async () => {
          if (heard()) return true;
          await delay(1_000);
          if (watcher.lastSeq === undefined && !heard())
            asked.push(await this.#probe(conversation));
          return heard();
        },
        async () => {
          const refusals = JSON.stringify([...watcher.refusals]);
          return `${watcher.name} at ${watcher.lastSeq} does not hear of ${asked} ${refusals}`;
        },
      );
    }
  }

  /** A run now that everything works. */
  async #probe(conversation: ChaosConversation): Promise<string> {
    const probe = conversation.run(3, 1);
    const [runId] = [...conversation.sent].find(([, reader]) => reader === probe) ?? ["?"];
    await this.#sentIsOver(runId, probe.over, "who sends after the faults");
    const end = probe.endOf(runId);
    if (end?.status !== "completed") {
      const refusals = JSON.stringify([...probe.refusals]);
      this.#ledger.violation(`${runId}, after the faults, ended ${end?.status} ${refusals}`);
    }
    return runId;
  }

  /** The store, the history and whoever reads the run again, on every node. */
  async #sameEverywhere(): Promise<void> {
    const stored = await this.#stored();
    for (const row of stored) {
      const code: string | undefined = row.error === null ? undefined : JSON.parse(row.error).code;
      const inStore = JSON.stringify({ status: row.status, text: row.text ?? "", code });
      const told = this.#ledger.ends.get(row.run_id);
      if (told !== undefined && told.told !== inStore) {
        this.#ledger.violation(`run ${row.run_id}: ${told.by} ${told.told}, the store ${inStore}`);
      }
    }
    for (const port of this.#options.world.ports) {
      for (const conversation of this.#conversations) {
        if (conversation.deleted) continue;
        const { userId } = conversation.owner;
        using client = wsClient(`ws://127.0.0.1:${port}/trpc`, { userId });
        const { conversationId } = conversation;
        const own = stored.filter((row) => row.conversation_id === conversationId);
        const messages = await historyOf(client, conversationId).catch((cause) => codeOf(cause));
        if (typeof messages === "string") {
          this.#ledger.violation(`the history at ${port}: ${messages}`);
          continue;
        }
        for (const { run_id: runId, status, text } of own) {
          const answer = messages.find((it) => it.role === "ai" && it.runId === runId);
          if (answer === undefined && (text ?? "") === "" && status !== "completed") continue;
          if (answer?.status !== status || answer.text !== text) {
            this.#ledger.violation(
              `run ${runId}: ${status} in the store, at ${port} the history has ${JSON.stringify(answer)}`,
            );
          }
        }
        for (let from = 0; from < own.length; from += readAgainAtOnce) {
          const some = own.slice(from, from + readAgainAtOnce);
          await Promise.all(some.map((run) => this.#readAgain(client, run, port)));
        }
      }
    }
  }

  async #readAgain(
    { api }: ReturnType<typeof wsClient>,
    { run_id: runId, conversation_id: conversationId }: StoredRun,
    port: number,
  ): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<string>();
    let last: string | undefined;
    const following = api.chat.send.subscribe(
      { runId, conversationId, botId: "test", message: runId },
      {
        onData: ({ data }) => {
          if (data.type === "runEnd") last = JSON.stringify(toldEnd(data));
        },
        onError: (cause) => resolve(codeOf(cause)),
        onComplete: () => resolve(last ?? "completed without an end"),
      },
    );
    const read = (await within(promise, this.#leftMs)) ?? "nothing";
    following.unsubscribe();
    const told = this.#ledger.ends.get(runId)?.told;
    if (told !== undefined && told !== read) {
      this.#ledger.violation(
        `run ${runId}: told ${told}; who sends it again at ${port} has ${read}`,
      );
    }
  }

  #billedOnce(): void {
    for (const { sent } of this.#conversations) {
      for (const runId of sent.keys()) {
        const calls = this.#options.world.cluster.callsOf(runId);
        if (calls > 1) this.#ledger.violation(`run ${runId} was billed ${calls} times`);
      }
    }
  }

  async #running(): Promise<string[]> {
    return (await this.#stored()).filter((row) => row.status === "running").map((it) => it.run_id);
  }

  async #stored(): Promise<StoredRun[]> {
    const client = new Client({ connectionString: this.#options.world.cluster.database.url });
    await client.connect();
    try {
      const ids = this.#conversations.map(({ conversationId }) => conversationId);
      const select = "select run_id, conversation_id, status, text, error from runs";
      return (await client.query(`${select} where conversation_id = any($1)`, [ids])).rows;
    } finally {
      await client.end();
    }
  }
}

async function historyOf(
  { api }: ReturnType<typeof wsClient>,
  conversationId: string,
): Promise<Message[]> {
  const all: Message[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await api.conversations.messages.query({ conversationId, limit: 100, cursor });
    all.push(...page.items);
    cursor = page.nextCursor;
    if (cursor === undefined) return all;
  }
}
