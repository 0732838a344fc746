/** A caller with a network of its own, who comes to any node each time that it connects. */
import type { ChatEvent } from "../../../src/protocol/events.ts";
import { codeOf, type StockClient, sseClient, wsClient } from "../../support/stock-client.ts";
import { startTcpProxy, type TcpProxy } from "../../support/tcp-proxy.ts";
import type { Ledger, SeenRun } from "./ledger.ts";
import type { Seeded } from "./seeded.ts";

export type Transport = "ws" | "sse";

export class RoamingCaller implements AsyncDisposable {
  readonly userId: string;
  readonly client: StockClient;
  readonly proxy: TcpProxy;

  private constructor(userId: string, client: StockClient, proxy: TcpProxy) {
    this.userId = userId;
    this.client = client;
    this.proxy = proxy;
  }

  static async start(options: {
    readonly userId: string;
    readonly transport: Transport;
    readonly ports: () => readonly number[];
    readonly random: Seeded;
  }): Promise<RoamingCaller> {
    const { userId, transport, ports, random } = options;
    const proxy = await startTcpProxy({ port: () => random.pick(ports()) });
    const at = `127.0.0.1:${proxy.port}/trpc`;
    const client =
      transport === "ws"
        ? wsClient(`ws://${at}`, { userId, pingMs: 1_000, retryDelayMs: 100 })
        : sseClient(`http://${at}`, { userId });
    return new RoamingCaller(userId, client, proxy);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client[Symbol.dispose]();
    await this.proxy[Symbol.asyncDispose]();
  }
}

export type Subscription =
  | { readonly type: "watch"; readonly conversationId: string; readonly lastEventId?: string }
  | {
      readonly type: "send";
      readonly conversationId: string;
      readonly runId: string;
      readonly botId: string;
      readonly message: string;
      readonly ifBusy?: "reject" | "interrupt";
    };

const retryMs = 200;
/** What no asking again changes. */
const final: ReadonlySet<string> = new Set(["NOT_FOUND", "BAD_INPUT", "UNAUTHORIZED"]);

/** A subscription that is made again with the place it had, until it is over. */
export class ChaosReader {
  readonly name: string;
  readonly conversationId: string;
  /** Settles with why it is over: `complete`, `stopped` or a code. Never rejects. */
  readonly over: Promise<string>;
  /** On `performance.now()`'s clock: from when on nothing may come any more. */
  forbiddenFromMs = Number.POSITIVE_INFINITY;
  readonly runs = new Map<string, SeenRun>();
  readonly refusals = new Map<string, number>();
  lastSeq: number | undefined;
  readonly #caller: RoamingCaller;
  readonly #ledger: Ledger;
  readonly #what: Subscription;
  readonly #over = Promise.withResolvers<string>();
  #done = false;
  #retry: NodeJS.Timeout | undefined;
  #subscription: { unsubscribe(): void } | undefined;

  constructor(caller: RoamingCaller, ledger: Ledger, what: Subscription, name: string) {
    this.#caller = caller;
    this.#ledger = ledger;
    this.#what = what;
    this.name = name;
    this.conversationId = what.conversationId;
    this.over = this.#over.promise;
    this.#subscribe();
  }

  get isOver(): boolean {
    return this.#done;
  }

  get userId(): string {
    return this.#caller.userId;
  }

  endOf(runId: string) {
    return this.runs.get(runId)?.end;
  }

  stop(why = "stopped"): void {
    if (this.#done) return;
    this.#done = true;
    clearTimeout(this.#retry);
    this.#subscription?.unsubscribe();
    this.#over.resolve(why);
  }

  #subscribe(): void {
    const { chat } = this.#caller.client.api;
    const place = this.lastSeq === undefined ? {} : { lastEventId: String(this.lastSeq) };
    const options = {
      onData: ({ id, data }: { id: string; data: ChatEvent }) => this.#take(Number(id), data),
      onError: (cause: unknown) => this.#refused(codeOf(cause)),
      onComplete: () => this.stop("complete"),
    };
    const what = this.#what;
    switch (what.type) {
      case "watch": {
        const { type: _, ...input } = what;
        this.#subscription = chat.watch.subscribe({ ...input, ...place }, options);
        break;
      }
      case "send": {
        const { type: _, ...input } = what;
        this.#subscription = chat.send.subscribe({ ...input, ...place }, options);
        break;
      }
    }
  }

  #refused(code: string): void {
    this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1);
    if (this.#done) return;
    if (final.has(code)) {
      this.stop(code);
      return;
    }
    this.#retry = setTimeout(() => {
      if (!this.#done) this.#subscribe();
    }, retryMs);
  }

  #take(seq: number, event: ChatEvent): void {
    const lateMs = performance.now() - this.forbiddenFromMs;
    if (lateMs > 0) {
      const late = `${Math.round(lateMs)} ms too late`;
      this.#ledger.violation(`${this.name} was removed, and got ${event.type} ${seq} ${late}`);
    }
    const before = this.lastSeq;
    if (before !== undefined && seq <= before) {
      this.#ledger.violation(`${this.name} got ${event.type} ${seq} after ${before}`);
      return;
    }
    this.lastSeq = seq;
    const known = this.runs.get(event.runId);
    this.runs.set(event.runId, this.#ledger.take(this, { seq, before, event }, known));
  }
}
