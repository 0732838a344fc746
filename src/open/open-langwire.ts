/** Opens everything behind the router: the store, the log, and the runs. */
import type { Bot } from "../bots/bot.ts";
import { Catalogue } from "../bots/catalogue.ts";
import { containStrayErrors } from "../bots/isolation/stray-errors.ts";
import type { EventLog } from "../log/log.ts";
import { type AdmissionOptions, type Admit, admission } from "../runs/admission/admission.ts";
import { type KeyedRateLimit, memoryRateLimit } from "../runs/admission/rate-limit.ts";
import { findLimits, type LimitsOf, type UserLimits } from "../runs/admission/user-limits.ts";
import { Archiver } from "../runs/archives/archiver.ts";
import { startPruning } from "../runs/archives/pruning.ts";
import type { Caller } from "../runs/caller.ts";
import type { Cluster } from "../runs/cluster/cluster.ts";
import { DefaultLog } from "../runs/default-log.ts";
import { type Erased, eraseUser } from "../runs/erase-user.ts";
import { remoteProofs } from "../runs/following/memberships.ts";
import { defaultRunLimits, type RunLimits } from "../runs/limits.ts";
import { allOf, type RunObserver } from "../runs/observer.ts";
import { logRuns } from "../runs/run-log.ts";
import { Runs } from "../runs/runs.ts";
import type { Store } from "../store/store.ts";
import { openStorage, type Storage, type StorageOptions } from "./open-storage.ts";
import { SharedConcurrencyLimit, sharedRateLimit } from "./shared-limits.ts";

export interface LangwireOptions extends StorageOptions {
  /** What callers can talk to. */
  readonly bots: readonly Bot[];
  readonly runLimits?: Partial<RunLimits>;
  /**
   * How long the events of runs that have ended are kept, in milliseconds, for whoever follows a run later
   * than the log has it. Default: `Infinity`, for good. 0: not at all, and what is there is deleted.
   */
  readonly keepEventsMs?: number;
  /**
   * Default: what fails is written to the console, or to the logger that `createServer` is given. `{}`
   * says nothing.
   */
  readonly observer?: RunObserver;
  /** Whether a caller may begin another run. Default: within `userLimits` and `limitsOf`. */
  readonly admit?: Admit;
  /**
   * Whether errors that get out of a bot's code by themselves (a promise that nobody holds, a throw in
   * a timer) end at most its run, in place of the process. It listens to `unhandledRejection` and
   * `uncaughtException` from then on; what comes from elsewhere is as fatal as it was. Default: true.
   */
  readonly containStrayErrors?: boolean;
  /** Limits of one user, over all processes that share a Redis together. Default: none. */
  readonly userLimits?: UserLimitOptions;
  /** The limits of a caller's plan, in place of `userLimits` and of `runLimits.maxMessageLength`. */
  readonly limitsOf?: LimitsOf;
}

const none = Number.POSITIVE_INFINITY;

/** Default of each: no limit. (The length of a message is one of `runLimits`.) */
export interface UserLimitOptions extends Partial<Omit<UserLimits, "maxMessageLength">> {
  /**
   * Asked with the limits above, but of this process and not of a user: whether it is too busy for any
   * new run. OVERLOADED. Default: never.
   */
  readonly overloaded?: () => boolean;
}

export interface Langwire extends AsyncDisposable {
  readonly bots: Catalogue;
  readonly runs: Runs;
  readonly store: Store;
  readonly log: EventLog;
  /** Counts a `conversations.create` of the caller's. @throws LangwireError RATE_LIMITED */
  readonly admitConversation?: (caller: Caller) => Promise<void>;
  /** Set where there may be other processes. */
  readonly cluster?: Cluster | undefined;
  /** Copies all that is kept, where that is one file: `Storage.snapshot`. */
  readonly snapshot?: Storage["snapshot"];
  /** Where failures are told. Set where `LangwireOptions.observer` was not. */
  readonly defaultLog?: DefaultLog | undefined;
  /** Calls the listener for what fails of bots (`RunObserver.botFailed`). @returns ends that */
  onBotFailure(listener: Required<RunObserver>["botFailed"]): () => void;
  /** Erases all of a user, and says what: runs/erase-user.ts. */
  eraseUser(userId: string): AsyncGenerator<Erased, void>;
}

/**
 * Opens Langwire and ends the runs that an earlier process left behind; with `redisUrl`, joins the
 * processes that are there.
 * @throws LangwireError STORE_UNAVAILABLE when something cannot be reached or used, or another
 *   process uses `dataDir`, or `databaseUrl` without sharing a log
 */
export async function openLangwire(options: LangwireOptions): Promise<Langwire> {
  const { userLimits = {}, containStrayErrors: contained = true } = options;
  const defaultLog = new DefaultLog();
  const failureListeners = new Set<Required<RunObserver>["botFailed"]>();
  const observer = allOf([
    options.observer ?? logRuns(defaultLog, { quotes: () => defaultLog.quotes }),
    {
      botFailed: (run, failure) => failureListeners.forEach((listen) => void listen(run, failure)),
    },
  ]);
  const { keepEventsMs = Number.POSITIVE_INFINITY } = options;
  const limits = { ...defaultRunLimits, ...options.runLimits };
  const bots = new Catalogue(options.bots);
  await using opening = new AsyncDisposableStack();
  const { storeTimeoutMs } = limits;
  const archiver = new Archiver({ keepEventsMs, observer });
  const storage = opening.use(
    await openStorage({ ...options, storeTimeoutMs, observer, archiver }),
  );
  const { store, log, shared, snapshot } = storage;
  const cluster = shared?.cluster;
  const { maxMessageLength } = limits;
  const limitsOf = findLimits({
    ...{ maxMessageLength, limitsOf: options.limitsOf },
    onFailure: (what, cause) => observer.failed?.(what, cause),
  });
  const { overloaded, maxLiveRuns: maxLiveRunsPerUser = none } = userLimits;
  const { maxRunsPerMinute = none, maxConversationsPerMinute = none } = userLimits;
  const runsPerUser = perMinute(
    maxRunsPerMinute,
    { name: "runs-begun", what: "runs that you begin" },
    shared,
  );
  const conversationsPerUser = perMinute(
    maxConversationsPerMinute,
    { name: "conversations-created", what: "conversations that you create" },
    shared,
  );
  const admitted = { maxLiveRunsPerUser, runsPerUser, ...(overloaded && { overloaded }) };
  const isLimited = options.userLimits !== undefined || options.limitsOf !== undefined;
  const { admit = isLimited ? admitWithin(admitted, { shared, opening }) : undefined } = options;
  const runs = opening.use(
    await Runs.start({
      ...{ bots, store, log, limits, observer, archiver, admit, limitsOf, cluster },
      proofs: cluster?.proofs ?? (options.databaseUrl === undefined ? undefined : remoteProofs),
      containStrayErrors: contained,
    }),
  );
  const pruning = startPruning({ store, keepEventsMs, observer });
  if (pruning !== undefined) opening.use(pruning);
  if (contained) containStrayErrors();
  const forget = async (userId: string) => {
    await cluster?.forgetUser(userId);
    for (const limit of [runsPerUser, conversationsPerUser]) await limit.forget?.(userId);
  };
  const opened = opening.move();
  return {
    bots,
    runs,
    store,
    log,
    cluster,
    admitConversation: async (caller) => {
      const { maxConversationsPerMinute: times } = await limitsOf(caller);
      await conversationsPerUser.takeWithin(caller.userId, times);
    },
    snapshot,
    ...(options.observer === undefined && { defaultLog }),
    onBotFailure: (listener) => {
      failureListeners.add(listener);
      return () => failureListeners.delete(listener);
    },
    eraseUser: (userId) => eraseUser(userId, { store, log, runs, forget }),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** Counted over all processes that share a Redis. */
function perMinute(
  times: number,
  { name, what }: { readonly name: string; readonly what: string },
  shared: Storage["shared"],
): KeyedRateLimit {
  const rate = { what: `${what} in a minute`, times, perMs: 60_000 };
  if (shared === undefined) return memoryRateLimit(rate);
  return sharedRateLimit(rate, { redis: shared.redis, name });
}

function admitWithin(
  options: AdmissionOptions,
  { shared, opening }: { shared: Storage["shared"]; opening: AsyncDisposableStack },
): Admit {
  if (shared === undefined) return admission(options);
  const { cluster, redis } = shared;
  const alive = () => cluster.alive();
  const slots = { redis, name: "runs-of", max: options.maxLiveRunsPerUser, alive };
  return admission({ ...options, liveRuns: opening.use(new SharedConcurrencyLimit(slots)) });
}
