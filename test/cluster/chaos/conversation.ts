/**
 * A conversation under chaos: its owner sends and cancels, somebody watches over each transport, and a
 * member comes and goes. Whatever is asked is asked until it is answered.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { codeOf } from "../../support/stock-client.ts";
import type { ClusterWorld } from "../world.ts";
import { type Ledger, wordsOf } from "./ledger.ts";
import { ChaosReader, RoamingCaller, type Transport } from "./reader.ts";
import { Seeded } from "./seeded.ts";

/** How long after a removal was answered its member may still be given something. */
const removedWithinMs = 10_000;
const retryMs = 200;
const botId = "test";

export interface ChaosConversationOptions {
  readonly cluster: ClusterWorld;
  readonly ledger: Ledger;
  readonly ports: () => readonly number[];
  readonly seed: number;
  readonly name: string;
}

type Change = "join" | "leave" | "unshare" | "delete";

export class ChaosConversation implements AsyncDisposable {
  readonly conversationId = randomUUID();
  readonly owner: RoamingCaller;
  /** All runs that were asked for, by id. */
  readonly sent = new Map<string, ChaosReader>();
  readonly readers: ChaosReader[] = [];
  deleted = false;
  readonly #member: RoamingCaller;
  readonly #callers: Readonly<Record<string, RoamingCaller>>;
  readonly #options: ChaosConversationOptions;
  readonly #random: Seeded;
  /** Its own: what it does follows from the seed, whatever the senders do meanwhile. */
  readonly #changes: Seeded;
  readonly #stack: AsyncDisposableStack;
  #memberReaders: ChaosReader[] = [];

  private constructor(
    options: ChaosConversationOptions,
    callers: Readonly<Record<"owner" | "ownerSse" | "member" | "memberSse", RoamingCaller>>,
    stack: AsyncDisposableStack,
  ) {
    this.#options = options;
    this.#random = new Seeded(options.seed);
    this.#changes = new Seeded(options.seed + 1);
    this.owner = callers.owner;
    this.#member = callers.member;
    this.#callers = callers;
    this.#stack = stack;
  }

  static async start(options: ChaosConversationOptions): Promise<ChaosConversation> {
    const stack = new AsyncDisposableStack();
    const { ports, name } = options;
    const random = new Seeded(options.seed + 2);
    const caller = async (userId: string, transport: Transport) =>
      stack.use(await RoamingCaller.start({ userId, transport, ports, random }));
    const [owner, member] = [`owner-${name}`, `member-${name}`];
    const conversation = new ChaosConversation(
      options,
      {
        owner: await caller(owner, "ws"),
        ownerSse: await caller(owner, "sse"),
        member: await caller(member, "ws"),
        memberSse: await caller(member, "sse"),
      },
      stack,
    );
    await conversation.#begin();
    return conversation;
  }

  /** Sends one run after the other, most by words that take a second or two. */
  async send(until: AbortSignal): Promise<void> {
    while (!until.aborted && !this.deleted) {
      const reader = this.run(this.#random.below(40, 2), this.#random.below(60, 1));
      const cancelling = this.#random.chance(0.25) ? this.#cancelSoon(reader) : undefined;
      // The next one, though this one may still be waited for: it is busy, or interrupts it.
      await Promise.race([reader.over, delay(this.#random.below(6_000, 2_000))]);
      await cancelling;
      if (this.#random.chance(0.3)) this.#random.pick(Object.values(this.#callers)).proxy.cut();
      await delay(this.#random.below(300));
    }
  }

  /** The member leaves and comes back, is removed, or everything is deleted. */
  async change(until: AbortSignal): Promise<void> {
    while (!until.aborted && !this.deleted) {
      await delay(this.#changes.below(2_500, 300));
      if (until.aborted) return;
      const how = this.#changes.chance(0.06)
        ? "delete"
        : this.#changes.pick(["leave", "unshare"] as const);
      await this.remove(how);
      if (this.deleted) return;
      await delay(this.#changes.below(1_500));
      await this.admit();
    }
  }

  async remove(how: Exclude<Change, "join">): Promise<void> {
    const { conversationId } = this;
    await this.#answered(how, async (again) => {
      const { api } = how === "leave" ? this.#member.client : this.owner.client;
      try {
        await api.conversations[how].mutate({ conversationId });
      } catch (cause) {
        // It was done by the call whose answer was lost.
        if (!again || how === "unshare" || codeOf(cause) !== "NOT_FOUND") throw cause;
      }
    });
    if (how === "delete") this.deleted = true;
    const out = how === "delete" ? this.readers : this.#memberReaders;
    for (const reader of out) reader.forbiddenFromMs = performance.now() + removedWithinMs;
  }

  /** The member joins, and watches from now on. */
  async admit(): Promise<void> {
    const { conversationId } = this;
    for (const reader of this.#memberReaders) reader.forbiddenFromMs = Number.POSITIVE_INFINITY;
    await this.#answered("join", async () => {
      await this.owner.client.api.conversations.share.mutate({ conversationId });
      await this.#member.client.api.conversations.join.mutate({ conversationId });
    });
    for (const reader of this.#memberReaders) reader.stop();
    this.#memberReaders = [this.#watch("member"), this.#watch("memberSse")];
  }

  /** A run of so many words; sent until it is over. */
  run(words: number, paceMs: number): ChaosReader {
    const { cluster, ledger } = this.#options;
    const asked = cluster.newRun({ steps: wordsOf(words), paceMs }, this.conversationId);
    const ifBusy = this.#random.chance(0.4) ? "interrupt" : "reject";
    const which = this.#random.chance(0.5) ? "owner" : "ownerSse";
    const what = { type: "send", ifBusy, ...asked } as const;
    const name = `${which} of ${asked.runId.slice(0, 8)}`;
    const reader = new ChaosReader(this.#callerOf(which), ledger, what, name);
    this.sent.set(asked.runId, reader);
    this.readers.push(reader);
    return reader;
  }

  /** The watches of the member who joined last: they may not be refused. */
  get memberReaders(): readonly ChaosReader[] {
    return this.#memberReaders;
  }

  get watchers(): readonly ChaosReader[] {
    return this.readers.filter((reader) => reader.name.startsWith("watch") && !reader.isOver);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const reader of this.readers) reader.stop();
    await this.#stack.disposeAsync();
  }

  async #begin(): Promise<void> {
    const { conversationId } = this;
    await this.#answered("join", async () => {
      await this.owner.client.api.conversations.create.mutate({ conversationId, botId });
    });
    await this.admit();
    this.#watch("owner");
    this.#watch("ownerSse");
  }

  #watch(which: string): ChaosReader {
    const { ledger, name } = this.#options;
    const what = { type: "watch", conversationId: this.conversationId } as const;
    const reader = new ChaosReader(this.#callerOf(which), ledger, what, `watch ${which} ${name}`);
    this.readers.push(reader);
    return reader;
  }

  #callerOf(which: string): RoamingCaller {
    const caller = this.#callers[which];
    if (caller === undefined) throw new RangeError(which);
    return caller;
  }

  async #cancelSoon(reader: ChaosReader): Promise<void> {
    await delay(this.#random.below(1_200));
    const [runId] = [...this.sent].find(([, sent]) => sent === reader) ?? [];
    if (runId === undefined || reader.refusals.has("NOT_FOUND")) return;
    // Whatever it is, an answer; the run itself is looked at afterwards.
    const answered = this.owner.client.api.chat.cancel.mutate({ runId }).then(
      () => {},
      () => {},
    );
    await this.#inTime(answered, `cancel of ${runId}`);
  }

  /** Asks until it is answered. A call of itself ends within the time that the longest wait takes. */
  async #answered(what: Change, ask: (again: boolean) => Promise<void>): Promise<void> {
    for (let again = false; ; again = true) {
      try {
        await this.#inTime(ask(again), what);
        return;
      } catch {
        await delay(retryMs);
      }
    }
  }

  async #inTime<T>(work: Promise<T>, what: string): Promise<T> {
    const late = setTimeout(
      () => this.#options.ledger.violation(`${what} was not answered for a minute`),
      60_000,
    );
    try {
      return await work;
    } finally {
      clearTimeout(late);
    }
  }
}
