/**
 * What one process has to tell all the others: stop this run, shut these readers out. A short stream
 * in Redis with a notifications, like a conversation's: a ring that is lost only makes it late, and a
 * notice that Redis does not take is kept until it does.
 */
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import type { StreamReply } from "../../log/redis/read-stream.ts";
import type { RedisLog } from "../../log/redis/redis-log.ts";
import { Script } from "../../log/redis/scripts.ts";

const notice = z.discriminatedUnion("type", [
  /** Cancel a run, whoever works on it. */
  z.object({ type: z.literal("stop"), runId: z.string() }),
  /** End the reading of these users; of everybody without `userIds`. */
  z.object({
    type: z.literal("revoke"),
    conversationId: z.string(),
    userIds: z.array(z.string()).optional(),
  }),
]);

export type Notice = z.infer<typeof notice>;

const keptNotices = 10_000;
const keptMs = 60 * 60_000;
const retryDelayMs = 250;
/** Beyond it the oldest is dropped; they come one for each cancel, deletion and removal. */
const maxUnsent = 10_000;

/** ARGV: notices kept, time kept, channel, notice. */
const sendScript = new Script<number>(
  1,
  `
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'n', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('PUBLISH', ARGV[3], '')
`,
);

export class Notices implements AsyncDisposable {
  readonly #log: RedisLog;
  readonly #key: string;
  readonly #bell: string;
  readonly #onNotice: (notice: Notice) => void;
  readonly #unsent: string[] = [];
  readonly #closing = new AbortController();
  /** The id of the last one heard. */
  #last: string;
  #sending: Promise<void> | undefined;
  #hearing: Promise<void> | undefined;
  #rung = false;

  private constructor(options: { log: RedisLog; onNotice: (it: Notice) => void; last: string }) {
    this.#log = options.log;
    this.#key = keyOf(options.log);
    this.#bell = `${this.#key}:bell`;
    this.#onNotice = options.onNotice;
    this.#last = options.last;
  }

  /** Hears what is sent from now on. @throws the connection's error */
  static async open(log: RedisLog, onNotice: (notice: Notice) => void): Promise<Notices> {
    const key = keyOf(log);
    const command = ["XREVRANGE", key, "+", "-", "COUNT", "1"];
    const [newest] = await log.link.send<StreamReply>(key, command);
    const notices = new Notices({ log, onNotice, last: newest?.[0] ?? "0-0" });
    await log.notifications.subscribe(notices.#bell, () => void notices.hear());
    return notices;
  }

  /** Returns at once; it is sent as soon as Redis takes it. */
  send(it: Notice): void {
    this.#unsent.push(JSON.stringify(it));
    if (this.#unsent.length > maxUnsent) this.#unsent.shift();
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined;
    });
  }

  /** Reads what has come. Called for each ring, and now and then without one. */
  hear(): Promise<void> {
    this.#rung = true;
    this.#hearing ??= this.#hearAll()
      .catch(() => {})
      .finally(() => {
        this.#hearing = undefined;
      });
    return this.#hearing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#log.link.ready) await this.#sending;
    this.#closing.abort();
    await this.#log.notifications.unsubscribe(this.#bell);
    await Promise.all([this.#sending, this.#hearing]);
  }

  async #sendAll(): Promise<void> {
    const { signal } = this.#closing;
    for (let next = this.#unsent[0]; next !== undefined; next = this.#unsent[0]) {
      try {
        const args = [keptNotices, keptMs, this.#bell, next];
        await sendScript.run(this.#log.link, [this.#key], args);
        if (this.#unsent[0] === next) this.#unsent.shift();
      } catch {
        await delay(retryDelayMs, undefined, { ref: false, signal }).catch(() => {});
        if (signal.aborted) return;
      }
    }
  }

  async #hearAll(): Promise<void> {
    while (this.#rung) {
      this.#rung = false;
      const command = ["XRANGE", this.#key, `(${this.#last}`, "+"];
      const entries = await this.#log.link.send<StreamReply>(this.#key, command);
      for (const [id, [, json]] of entries) {
        this.#last = id;
        // A process of another version may say what this one does not know.
        const parsed = notice.safeParse(JSON.parse(json));
        if (parsed.success) this.#onNotice(parsed.data);
      }
    }
  }
}

function keyOf({ prefix }: RedisLog): string {
  return `${prefix}:{nodes}:notices`;
}
