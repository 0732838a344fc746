/** What processes tell each other by Redis. */
import type { Guard } from "../guard.ts";

export const redisShareGuards: readonly Guard[] = [
  {
    slip: "messages that Redis does not take are kept without a bound",
    file: "src/redis/broadcast.ts",
    code: "    if (this.#unsent.length > maxUnsent) this.#unsent.shift();\n",
    becomes: "",
    tests: ["test/redis/broadcast-model.test.ts", "test/redis/primitives.test.ts"],
  },
  {
    slip: "a notification that comes while messages are read is forgotten",
    file: "src/redis/broadcast.ts",
    code: "    for (const [id, [, message]] of messages) {",
    becomes: "    this.#mayHaveMore = false;\n    for (const [id, [, message]] of messages) {",
    tests: ["test/redis/broadcast-model.test.ts", "test/redis/primitives.test.ts"],
  },
  {
    slip: "messages of a Redis that lost the stream are never received",
    file: "src/redis/broadcast.ts",
    code: "      this.#last = beginning;\n",
    becomes: "",
    tests: ["test/redis/broadcast-model.test.ts"],
  },
  {
    slip: "the last message is received again",
    file: "src/redis/broadcast.ts",
    code: "key: this.#key, from: `(",
    becomes: "key: this.#key, from: `",
    tests: ["test/redis/broadcast-model.test.ts", "test/redis/primitives.test.ts"],
  },
  {
    slip: "a process that leaves drops its last messages",
    file: "src/redis/broadcast.ts",
    code: "    if (this.#redis.link.ready) await within(Promise.resolve(this.#sending), lastMessagesMs);\n",
    becomes: "",
    tests: ["test/redis/broadcast-model.test.ts", "test/redis/broadcast-model.test.ts"],
  },
  {
    slip: "a process that leaves stays subscribed",
    file: "src/redis/broadcast.ts",
    code: "[this.#redis.notifications.unsubscribe(this.#channel), this.#receiving]",
    becomes: "[this.#receiving]",
    tests: ["test/redis/broadcast-model.test.ts", "test/redis/primitives.test.ts"],
  },
  {
    slip: "a message is sent twice where it was taken",
    file: "src/redis/broadcast.ts",
    code: "        if (this.#unsent[0] === next) this.#unsent.shift();\n",
    becomes: "        void 0;\n",
    tests: ["test/redis/broadcast-model.test.ts"],
  },
  {
    slip: "messages stay in Redis for ever",
    file: "src/redis/broadcast.ts",
    code: "redis.call('PEXPIRE', KEYS[1], ARGV[2])\nreturn redis.call('PUBLISH'",
    becomes: "return redis.call('PUBLISH'",
    tests: ["test/redis/primitives.test.ts", "test/redis/primitives.test.ts"],
  },
  {
    slip: "a channel that could not be subscribed is subscribed later",
    file: "src/redis/notifications.ts",
    code: "      if (listeners.get(channel) === onNotification) listeners.delete(channel);\n",
    becomes: "",
    tests: [
      "test/redis/notifications.test.ts",
      "test/log/mirror.test.ts",
      "test/log/redis.test.ts",
    ],
  },
  {
    slip: "a channel that was left is subscribed again after a reconnect",
    file: "src/redis/notifications.ts",
    code: "    listeners.delete(channel);\n    if (!this.#link.ready) return;",
    becomes: "    if (!this.#link.ready) return;",
    tests: [
      "test/redis/notifications.test.ts",
      "test/log/mirror.test.ts",
      "test/log/redis.test.ts",
    ],
  },
  {
    slip: "an interruption is not counted",
    file: "src/redis/notifications.ts",
    code: "    this.interruptions += 1;\n",
    becomes: "",
    tests: [
      "test/redis/notifications.test.ts",
      "test/log/mirror.test.ts",
      "test/log/redis.test.ts",
    ],
  },
  {
    slip: "a listener for interruptions stays when it was taken back",
    file: "src/redis/notifications.ts",
    code: "return () => this.#subscriptions.onInterruption.delete(listener);",
    becomes: "return () => {};",
    tests: [
      "test/redis/notifications.test.ts",
      "test/log/mirror.test.ts",
      "test/log/redis.test.ts",
    ],
  },
];
