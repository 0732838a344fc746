/** Connections to Redis, and what processes share by it. */
import type { Guard } from "../guard.ts";

export const redisGuards: readonly Guard[] = [
  {
    slip: "a reconnect after a connection that lasted waits as long as after failures",
    file: "src/redis/redis-link.ts",
    code: "        failures = 0;\n",
    becomes: "",
    tests: ["test/redis/redis-link-model.test.ts"],
  },
  {
    slip: "a connection whose preparation fails stays open",
    file: "src/redis/redis-link.ts",
    code: "    } catch (cause) {\n      connection.destroy();\n",
    becomes: "    } catch (cause) {\n",
    tests: ["test/redis/redis-link-model.test.ts"],
  },
  {
    slip: "the connection before is not closed",
    file: "src/redis/redis-link.ts",
    code: "    this.#connection?.retire();\n",
    becomes: "",
    tests: ["test/redis/redis-link-model.test.ts"],
  },
  {
    slip: "a link that could not be opened goes on connecting",
    file: "src/redis/redis-link.ts",
    code: "      await link[Symbol.asyncDispose]();\n      throw cause;",
    becomes: "      throw cause;",
    tests: ["test/redis/redis-link-model.test.ts"],
  },
  {
    slip: "the last connection stays open when the link closes",
    file: "src/redis/redis-link.ts",
    code: "    this.#connection?.destroy();\n    this.#connection = undefined;\n",
    becomes: "    this.#connection = undefined;\n",
    tests: ["test/redis/redis-link-model.test.ts"],
  },
  {
    slip: "a replaced connection is pinged for ever",
    file: "src/redis/redis-link.ts",
    code: "AbortSignal.any([this.#closing.signal, this.#replaced.signal])",
    becomes: "AbortSignal.any([this.#closing.signal])",
    tests: ["test/redis/redis-link-model.test.ts"],
  },
  {
    slip: "a busy process takes the answer that it has not read for none",
    file: "src/redis/redis-link.ts",
    code: "turns < 3 && !answered",
    becomes: "turns < 0 && !answered",
    tests: ["test/redis/redis-link-model.test.ts"],
  },
];
