/** What several processes need of each other: leases, notices, who may write a run, and its one end. */
import type { Guard } from "../guard.ts";

const reaper = ["test/cluster/reaper.test.ts"];
const takenOver = ["test/cluster/taken-over.test.ts"];
const cutOff = ["test/cluster/cut-off.test.ts"];
const redisLog = ["test/log/redis.test.ts"];
const redisAppends = ["test/log/redis-appends.test.ts"];

export const clusterGuards: readonly Guard[] = [
  {
    slip: "an owner that died between its end in the store and in the log is not made up for",
    file: "src/runs/cluster/reaper.ts",
    code: 'if (stored?.status !== "running") await endInLog(run, options);',
    becomes: "void stored;",
    tests: reaper,
  },
  {
    slip: "a run that its owner began after it came back is closed in the log",
    file: "src/runs/cluster/reaper.ts",
    code: 'if (stored?.status !== "running") await',
    becomes: "void stored; await",
    tests: takenOver,
  },
  {
    slip: "a run that somebody took over and never ended is not taken back",
    file: "src/runs/lifecycle/unattended.ts",
    code: "{ conversationId, runId, after, takeOver: true }",
    becomes: "{ conversationId, runId, after }",
    tests: takenOver,
  },
  {
    slip: "a run whose end is in the log gets another one in the store",
    file: "src/runs/lifecycle/live-runs.ts",
    code: 'if (!(cause instanceof LangwireError) || cause.code !== "OWNER_LOST") {',
    becomes: "if (true) {",
    tests: takenOver,
  },
  {
    slip: "a run that is over stays in the list of its process",
    file: "src/log/redis/redis-log.ts",
    code: 'cause instanceof LangwireError && cause.code === "OWNER_LOST"',
    becomes: "false",
    tests: takenOver,
  },
  {
    slip: "a notice that Redis refused is dropped",
    file: "src/redis/broadcast.ts",
    code: "      } catch {\n        await delay(retryDelayMs",
    becomes: "      } catch {\n        this.#unsent.shift();\n        await delay(retryDelayMs",
    tests: ["test/redis/primitives.test.ts"],
  },
  {
    slip: "an older run takes the write lease of a newer one",
    file: "src/log/redis/run-scripts.ts",
    code: "elseif lease[1] and tonumber(lease[4]) > after + 1 then",
    becomes: "elseif false then",
    tests: [...redisLog, ...reaper],
  },
  {
    slip: "an append that fails in Redis takes those of the same call with it",
    file: "src/log/redis/run-scripts.ts",
    code: "pcall(add, key, at, count)",
    becomes: "true, add(key, at, count)",
    tests: redisAppends,
  },
  {
    slip: "each append of a call is given the first one's answer",
    file: "src/log/redis/append-calls.ts",
    code: "answers[2 * index], answers[2 * index + 1]",
    becomes: "answers[0], answers[1]",
    tests: redisAppends,
  },
  {
    slip: "runs that append in one turn are each a call of their own",
    file: "src/log/redis/append-calls.ts",
    code: "return this.#together && this.#link.takesAnyKeys;",
    becomes: "return false;",
    tests: redisAppends,
  },
  {
    slip: "an append that is repeated adds what is in already",
    file: "src/log/redis/run-scripts.ts",
    code: "if missing <= 0 then return 'ok', last end",
    becomes: "if missing <= 0 then missing = count end",
    tests: redisAppends,
  },
  {
    slip: "a writer that Redis refuses believes it, whatever the store says",
    file: "src/log/redis/write-lease.ts",
    code: "return await isOurs();",
    becomes: 'return refusal === "lost";',
    tests: reaper,
  },
  {
    slip: "a writer that Redis refuses goes on, whatever the store says",
    file: "src/log/redis/write-lease.ts",
    code: "if (!(await this.#mayGoOn(refusal))) return undefined;",
    becomes: "await this.#mayGoOn(refusal);",
    tests: takenOver,
  },
  {
    slip: "after a reconnect of the subscribed connection nothing is read at once",
    file: "src/log/redis/mirrors.ts",
    code: "onInterruption(() => this.check(0))",
    becomes: "onInterruption(() => {})",
    tests: redisLog,
  },
  {
    slip: "after a reconnect of the subscribed connection nothing is subscribed again",
    file: "src/redis/notifications.ts",
    code: "    await client.subscribe(channels, this.receive);\n",
    becomes: "",
    tests: redisLog,
  },
  {
    slip: "the end for a reader who is ahead of the stored number is passed over",
    file: "src/runs/following/backfill.ts",
    code: "LogEntry.of(Math.max(endSeq, after + 1), endEvent)",
    becomes: "LogEntry.of(endSeq, endEvent)",
    tests: ["test/runs/backfill.test.ts"],
  },
  {
    slip: "a node that is cut off from Postgres keeps its clients",
    file: "src/server/app.ts",
    code: "langwire.cluster?.onCutOff(() => connections.sendAway());",
    becomes: "",
    tests: cutOff,
  },
  {
    slip: "every node sends its clients away when Postgres itself is away",
    file: "src/runs/cluster/cluster.ts",
    code: "await this.#lease?.othersRenew(withoutMs).catch(() => undefined);",
    becomes: "true as boolean | undefined;",
    tests: cutOff,
  },
  {
    slip: "an ending waits for a store that only others reach, and its readers with it",
    file: "src/runs/lifecycle/finalizer.ts",
    code: "leftMs <= 0 || storeElsewhere ||",
    becomes: "leftMs <= 0 ||",
    tests: cutOff,
  },
  {
    slip: "an answer from before a member came back ends what they read",
    file: "src/runs/following/memberships.ts",
    code: "if (!isMember && membership.enteredAtMs > askedAtMs) continue;",
    becomes: "",
    tests: ["test/runs/memberships.test.ts"],
  },
  {
    slip: "an ending that was told keeps its conversation busy",
    file: "src/runs/lifecycle/live-runs.ts",
    code: "          if (await cluster?.storeToldEnd({ conversationId, runId: claimed.runId })) break;\n",
    becomes: "",
    tests: ["test/cluster/cut-off.test.ts"],
  },
];
