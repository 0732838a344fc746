/**
 * The memberships by which conversations are read, and when each was last proved. Membership is a state
 * of the store: a removal counts from its commit on, whether or not a notice of it arrived.
 *
 *   proved ── the members may have changed, or the proof is too old ──▶ in doubt: nothing is delivered
 *     ▲                                                                     │
 *     └─────────────── the store has it ────────────── asked ◀──────────────┘
 *                                                        └── it has not ──▶ its readers are shut out
 *
 * Where the store is a server, a removal may be carried out after everybody has given up on it, so every
 * proof is renewed within seconds. Where other processes can remove members too, one that could not be
 * renewed does not last: a process that was asleep or cut off delivers nothing before it has asked.
 */
import { setTimeout as delay } from "node:timers/promises";
import { LangwireError } from "../../protocol/errors.ts";
import type { Membership as Named, Store } from "../../store/store.ts";
import { backoffMs } from "../../time/backoff.ts";
import { within } from "../../time/within.ts";
import type { ReadPermit } from "./follow-options.ts";

/** A reader who may read because of a membership, and fails when that is gone. */
export interface MemberReader {
  fail(error: LangwireError): void;
}

export interface MembershipsOptions {
  readonly store: { readonly conversations: Pick<Store["conversations"], "stillMembers"> };
  /**
   * How long a reader waits for its proof before it fails with STORE_UNAVAILABLE: another process may be able
   * to prove it. Default: for as long as it takes.
   */
  readonly maxWaitMs?: number | undefined;
  /** Set where members can be removed without this process knowing. */
  readonly proofs?: ProofTimes | undefined;
}

export interface ProofTimes {
  /** How often each membership is proved again. */
  readonly renewMs: number;
  /** How long a proof lasts, several renewals. */
  readonly validMs: number;
}

/** Where other processes can remove members. */
export const sharedProofs: ProofTimes = { renewMs: 2_000, validMs: 6_000 };
/** Where this process alone can, by a store whose answers may be late. */
export const remoteProofs: ProofTimes = { renewMs: 2_000, validMs: Number.POSITIVE_INFINITY };

const retryAfterMs = 1_000;
const membershipsAtOnce = 200;
const retryBackoff = { firstMs: 100, maxMs: 1_000 };

export class Membership implements Named, ReadPermit {
  readonly conversationId: string;
  readonly userId: string;
  readonly readers = new Set<MemberReader>();
  /**
   * When the store's last query began that found the membership (`performance.now()`): a removal from
   * before that would have shown. `-Infinity`: to be asked for.
   */
  provedAtMs: number;
  /**
   * When the newest query began by which a reader of it was found to be a member: who was removed may
   * come back, and an answer from before that says nothing of it.
   */
  enteredAtMs: number;
  /** When the conversation's members last may have changed: a proof from before is void. */
  doubtedAtMs = 0;
  readonly #all: Memberships;

  constructor(all: Memberships, { conversationId, userId }: Named, provedAtMs: number) {
    this.#all = all;
    this.conversationId = conversationId;
    this.userId = userId;
    this.provedAtMs = provedAtMs;
    this.enteredAtMs = provedAtMs;
  }

  proof(): Promise<void> | undefined {
    return this.#all.proof(this);
  }
}

export class Memberships implements Disposable {
  readonly #options: MembershipsOptions;
  readonly #validMs: number;
  readonly #byConversation = new Map<string, Map<string, Membership>>();
  readonly #closing = new AbortController();
  readonly #renewing: NodeJS.Timeout | undefined;
  /** One at a time: while the store is away, each would wait with all memberships in hand. */
  #renewal: Promise<void> | undefined;
  /** Memberships to be proved: still waiting, or in the query under way. */
  readonly #wanted = new Set<Membership>();
  #proving: Promise<void> | undefined;
  /** When the members of any conversation may last have changed. */
  #lastDoubtMs = Number.NEGATIVE_INFINITY;

  constructor(options: MembershipsOptions) {
    this.#options = options;
    const { proofs } = options;
    this.#validMs = proofs?.validMs ?? Number.POSITIVE_INFINITY;
    this.#renewing = proofs && setInterval(() => this.#renew(), proofs.renewMs).unref();
  }

  /**
   * A reader begins to read.
   * @param askedAtMs when the query began that found the user to be a member
   */
  enter(named: Named, reader: MemberReader, askedAtMs: number): Membership {
    const { conversationId, userId } = named;
    const users = this.#byConversation.get(conversationId) ?? new Map<string, Membership>();
    this.#byConversation.set(conversationId, users);
    const membership = users.get(userId) ?? new Membership(this, named, askedAtMs);
    users.set(userId, membership);
    membership.readers.add(reader);
    membership.enteredAtMs = Math.max(membership.enteredAtMs, askedAtMs);
    if (this.#lastDoubtMs >= askedAtMs) membership.provedAtMs = Number.NEGATIVE_INFINITY;
    return membership;
  }

  leave(membership: Membership, reader: MemberReader): void {
    const { conversationId, userId, readers } = membership;
    readers.delete(reader);
    if (readers.size > 0) return;
    this.#wanted.delete(membership);
    const users = this.#byConversation.get(conversationId);
    if (users?.get(userId) === membership) users.delete(userId);
    if (users?.size === 0) this.#byConversation.delete(conversationId);
  }

  /** Undefined while the membership is proved. Else settles when it is proved, or its readers failed. */
  proof(membership: Membership): Promise<void> | undefined {
    if (this.#isProved(membership)) return undefined;
    const proved = this.#prove([membership]);
    const { maxWaitMs } = this.#options;
    return maxWaitMs === undefined ? proved : orUnavailable(proved, maxWaitMs);
  }

  /**
   * The members of a conversation may have changed.
   * @returns settles when the store has said who is left, and the readers of the others have failed
   */
  async changed(conversationId: string): Promise<void> {
    this.#lastDoubtMs = performance.now();
    const users = [...(this.#byConversation.get(conversationId)?.values() ?? [])];
    for (const membership of users) membership.doubtedAtMs = this.#lastDoubtMs;
    await this.#prove(users);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#renewing);
    this.#closing.abort();
  }

  #isProved({ provedAtMs, doubtedAtMs }: Membership): boolean {
    if (provedAtMs < doubtedAtMs || provedAtMs === Number.NEGATIVE_INFINITY) return false;
    const lasts = this.#validMs === Number.POSITIVE_INFINITY;
    return lasts || performance.now() - provedAtMs < this.#validMs;
  }

  #renew(): void {
    this.#renewal ??= this.#proveAll().finally(() => {
      this.#renewal = undefined;
    });
  }

  #proveAll(): Promise<void> {
    return this.#prove([...this.#byConversation.values()].flatMap((users) => [...users.values()]));
  }

  async #prove(memberships: readonly Membership[]): Promise<void> {
    for (const membership of memberships) {
      if (membership.readers.size > 0) this.#wanted.add(membership);
    }
    // A membership that is added while a query is under way is in the next query.
    while (memberships.some((membership) => this.#wanted.has(membership))) {
      this.#proving ??= this.#proveSome().finally(() => {
        this.#proving = undefined;
      });
      await this.#proving;
    }
  }

  /** One query for some of the wanted memberships, retried until the store answers. */
  async #proveSome(): Promise<void> {
    const { signal } = this.#closing;
    for (let failures = 0; !signal.aborted; failures++) {
      const asked = [...this.#wanted].slice(0, membershipsAtOnce);
      if (asked.length === 0) return;
      const askedAtMs = performance.now();
      try {
        this.#take(asked, await this.#options.store.conversations.stillMembers(asked), askedAtMs);
        return;
      } catch {
        // An answer that did not come is neither yes nor no: the readers go on waiting.
        const ms = backoffMs(failures, retryBackoff);
        await delay(ms, undefined, { ref: false, signal }).catch(() => {});
      }
    }
    this.#wanted.clear();
  }

  #take(asked: readonly Membership[], members: readonly Named[], askedAtMs: number): void {
    const found = new Set(members.map(keyOf));
    for (const membership of asked) {
      // The members may have changed after the query began: its answer proves nothing.
      if (membership.doubtedAtMs > askedAtMs) continue;
      const isMember = found.has(keyOf(membership));
      if (!isMember && membership.enteredAtMs > askedAtMs) continue;
      this.#wanted.delete(membership);
      if (isMember) membership.provedAtMs = askedAtMs;
      else for (const reader of membership.readers) reader.fail(new LangwireError("NOT_FOUND"));
    }
  }
}

/** @throws LangwireError STORE_UNAVAILABLE when the store has not answered in time */
async function orUnavailable(proved: Promise<void>, ms: number): Promise<void> {
  const inTime = await within(
    proved.then(() => true),
    ms,
  );
  if (inTime === undefined) throw new LangwireError("STORE_UNAVAILABLE", { retryAfterMs });
}

const keyOf = ({ conversationId, userId }: Named): string => `${conversationId} ${userId}`;
