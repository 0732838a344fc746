/** What readers of the log are given. */
import type { Guard } from "../guard.ts";

const model = ["test/runs/follower-model.test.ts"];
const backfill = ["test/runs/backfill.test.ts"];
const cursor = ["test/runs/log-cursor.test.ts"];

export const followingGuards: readonly Guard[] = [
  {
    slip: "a reader who lacks only the runEnd of an evicted run is told nothing",
    file: "src/runs/following/backfill.ts",
    code: "if (firstSeq <= after) return [end];",
    becomes: "if (firstSeq <= after) return [];",
    tests: backfill,
  },
  {
    slip: "a position ahead of an ended run waits for ever",
    file: "src/runs/following/backfill.ts",
    code: "after: isAhead ? restart : position,",
    becomes: "after: position,",
    tests: backfill,
  },
  {
    slip: "what the store tells after silence stands in for what the log has",
    file: "src/runs/following/follower.ts",
    code: 'if (this.#state.name === "checking") this.#waitNumber += 1;',
    becomes: "",
    tests: ["test/runs/cursors.test.ts", ...model],
  },
  {
    slip: "what is known of a gap is told though the log has begun",
    file: "src/runs/following/follower.ts",
    code: "this.#loaded(!begun && this.#cursor.loadAcross(slice, known));",
    becomes: "this.#loaded(this.#cursor.loadAcross(slice, known));",
    tests: ["test/runs/cursors.test.ts", ...model],
  },
  {
    slip: "a reader whose socket takes nothing keeps its slice",
    file: "src/runs/following/follower.ts",
    code: "        this.#cursor.clear();\n        this.#state = this.#state.on.busy;",
    becomes: "        this.#state = this.#state.on.busy;",
    tests: cursor,
  },
  {
    slip: "a closed reader keeps its slice",
    file: "src/runs/following/follower.ts",
    code: "    this.#cursor.clear();\n    clearTimeout(this.#silenceTimer);",
    becomes: "    clearTimeout(this.#silenceTimer);",
    tests: cursor,
  },
  {
    slip: "merged frames are unbounded",
    file: "src/runs/following/log-cursor.ts",
    code: "bytes > mergedMaxBytes || ",
    becomes: "",
    tests: cursor,
  },
  {
    slip: "reasoning is merged into the answer when a reader catches up",
    file: "src/log/entry.ts",
    code: "      ours.type === theirs.type &&\n",
    becomes: "",
    tests: ["test/log/entry.test.ts", ...cursor],
  },
  {
    slip: "reasoning is merged into the answer when it is appended",
    file: "src/log/entry.ts",
    code: "      event.type === type &&\n",
    becomes: "",
    tests: ["test/log/entry.test.ts", "test/log/memory.test.ts"],
  },
  {
    slip: "a silence's answer is believed at once",
    file: "src/runs/following/backfill.ts",
    code: "return late ? known : [];",
    becomes: "return known;",
    tests: [...backfill, ...model],
  },
  {
    slip: "a reader whom the store does not know goes on after a gap",
    file: "src/runs/following/backfill.ts",
    code: "if (known.length > 0) await this.#proveMember();",
    becomes: "",
    tests: backfill,
  },
  {
    slip: "a reader goes on delivering for ever in one turn",
    file: "src/runs/following/follower.ts",
    code: "        this.#deliveriesThisTurn = 0;\n        this.#state = this.#state.on.turnOver;",
    becomes: "        this.#state = this.#state.on.turnOver;",
    tests: ["test/runs/cursors.test.ts", ...model],
  },
  {
    slip: "an aborted reader stays subscribed",
    file: "src/runs/following/follower.ts",
    code: "    this.#unsubscribe?.();\n",
    becomes: "",
    tests: model,
  },
  {
    slip: "a doubt that came while the store was asked is forgotten",
    file: "src/runs/following/memberships.ts",
    code: "      if (membership.doubtedAtMs > askedAtMs) continue;\n",
    becomes: "",
    tests: ["test/runs/memberships.test.ts"],
  },
  {
    slip: "who enters after a removal counts as proved by an older answer",
    file: "src/runs/following/memberships.ts",
    code: "if (this.#lastDoubtMs >= askedAtMs) membership.provedAtMs = Number.NEGATIVE_INFINITY;",
    becomes: "",
    tests: ["test/runs/memberships.test.ts", "test/security/ownership.test.ts"],
  },
  {
    slip: "a proof lasts for ever where others can remove members",
    file: "src/runs/following/memberships.ts",
    code: "lasts || performance.now() - provedAtMs < this.#validMs",
    becomes: "lasts || performance.now() > 0",
    tests: ["test/runs/memberships.test.ts"],
  },
  {
    slip: "a reader who leaves is kept",
    file: "src/runs/following/readers.ts",
    code: "    this.#followers.delete(follower);\n",
    becomes: "",
    tests: ["test/runs/readers.test.ts"],
  },
  {
    slip: "a shutdown does not wait for readers of runs",
    file: "src/runs/following/readers.ts",
    code: "      await within(promise, timeoutMs);\n",
    becomes: "      void [promise, timeoutMs];\n",
    tests: ["test/runs/readers.test.ts"],
  },
  {
    slip: "renewals pile up while the store does not answer",
    file: "src/runs/following/memberships.ts",
    code: "this.#renewal ??= this.#proveAll()",
    becomes: "this.#renewal = this.#proveAll()",
    tests: ["test/runs/memberships.test.ts"],
  },
];
