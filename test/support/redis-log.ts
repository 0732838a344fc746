/** A log in Redis, on a connection of its own that closes with it. */
import { RedisLog, type RedisLogOptions } from "../../src/log/redis/redis-log.ts";
import { Redis, type RedisOptions } from "../../src/redis/redis.ts";

export type TestRedisLogOptions = Omit<RedisOptions & RedisLogOptions, "redis" | "times"> & {
  readonly times?: Partial<RedisOptions["times"] & RedisLogOptions["times"]>;
};

export class TestRedisLog extends RedisLog {
  readonly redis: Redis;

  private constructor(options: RedisLogOptions) {
    super(options);
    this.redis = options.redis;
  }

  static async open(options: TestRedisLogOptions): Promise<TestRedisLog> {
    return new TestRedisLog({ ...options, redis: await Redis.open(options) });
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]();
    await this.redis[Symbol.asyncDispose]();
  }
}
