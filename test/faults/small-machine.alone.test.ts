/** Small containers: one that serves fifty, and one under more and larger runs than it can hold, which says so to some. */
import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { type StartedProgram, startProgram } from "../support/child-process.ts";
import { memoryCgroup } from "../support/memory-cgroup.ts";
import { type MockProvider, startMockProvider } from "../support/mock-provider.ts";
import { codeOf, read, wsClient } from "../support/stock-client.ts";
import { temporaryFolder } from "./child-server.ts";
import { sized } from "./form.ts";

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const mebibyte = 1024 * 1024;
const users = 4;
const runsAtOnce = 32;
/** Nearly as much as one run may have. */
const answerBytes = 3.5 * mebibyte;
const rounds = sized({ short: 1, full: 10 });

/** A server in a container of so much memory, and some users of it. */
class SmallServer implements AsyncDisposable {
  readonly #program: StartedProgram;
  readonly #users: readonly ReturnType<typeof wsClient>[];
  readonly #resources: AsyncDisposableStack;
  /** Clients would wait for a server that has died. */
  readonly #died: Promise<never>;

  private constructor(program: StartedProgram, host: string, resources: AsyncDisposableStack) {
    this.#program = program;
    this.#resources = resources;
    this.#users = Array.from({ length: users }, (_, user) =>
      resources.use(wsClient(`ws://${host}/trpc`, { userId: `user-${user}` })),
    );
    this.#died = program.exited.then((code): never => {
      throw new Error(`it ended with ${code}:\n${program.output.slice(-2_000)}`);
    });
    this.#died.catch(() => {});
  }

  static async start(mebibytes: number, provider: MockProvider): Promise<SmallServer> {
    await using starting = new AsyncDisposableStack();
    const folder = starting.use(await temporaryFolder());
    const cgroup = await memoryCgroup(mebibytes * mebibyte);
    if (cgroup !== undefined) starting.use(cgroup);
    // Where no cgroup may be made: the heap alone, as large as Node makes it in one.
    const enter = cgroup === undefined ? "" : `echo $$ > ${cgroup.processes} &&`;
    const options = cgroup === undefined ? "--max-old-space-size=256" : "";
    const program = starting.use(
      startProgram("sh", ["-c", `${enter} exec node ${options} "$0"`, main], {
        env: {
          ...{ PORT: "0", DATA_DIR: folder.path },
          ...{ MAX_RUNS_PER_MINUTE: "1000", MAX_LIVE_RUNS_PER_USER: "50" },
          ...{ OPENAI_BASE_URL: provider.baseUrl, OPENAI_API_KEY: "test-key" },
        },
      }),
    );
    const [, host] = await program.printed(/listening at http:\/\/(127\.0\.0\.1:\d+)/);
    return new SmallServer(program, String(host), starting.move());
  }

  /** @returns the status with which the run ended, or the code of what was wrong with it */
  async outcomeOf(index: number, message: string): Promise<string> {
    const ids = { runId: randomUUID(), conversationId: randomUUID() };
    const user = this.#users[index % users];
    if (user === undefined) throw new Error("no such user");
    const { completed } = read((on) =>
      user.api.chat.send.subscribe({ ...ids, botId: "chat", message }, on),
    );
    const answered = completed.catch((cause: unknown) => codeOf(cause));
    const received = await Promise.race([answered, this.#died]);
    if (typeof received === "string") return received;
    const end = received.at(-1)?.event;
    if (end?.type !== "runEnd") return "no end";
    return end.error?.code ?? end.status;
  }

  /** @returns the exit code */
  async close(): Promise<number | NodeJS.Signals> {
    this.#program.child.kill("SIGTERM");
    return await this.#program.exited;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#resources.disposeAsync();
  }
}

test("a server in 256 MB starts, and serves fifty runs at once", async () => {
  await using provider = await startMockProvider();
  provider.answerAll(() => ({ steps: Array.from({ length: 40 }, () => "word "), paceMs: 50 }));
  await using server = await SmallServer.start(256, provider);
  const runs = Array.from({ length: 50 }, (_, index) => server.outcomeOf(index, "hello"));
  expect(new Set(await Promise.all(runs))).toEqual(new Set(["completed"]));
  expect(await server.close()).toBe(0);
});

test("a server in 512 MB lives through 32 large runs at once, again and again", {
  timeout: 280_000,
}, async () => {
  await using provider = await startMockProvider();
  const piece = "lorem ipsum dolor sit amet ".repeat(150);
  const steps = Array.from({ length: Math.ceil(answerBytes / piece.length) }, () => piece);
  provider.answerAll(({ lastText }) => ({ steps: lastText === "small" ? ["small"] : steps }));
  await using server = await SmallServer.start(512, provider);
  const outcomes: string[] = [];
  for (let round = 0; round < rounds; round++) {
    const large = Array.from({ length: runsAtOnce }, (_, index) =>
      server.outcomeOf(index, "large"),
    );
    outcomes.push(...(await Promise.all(large)));
    // Who asks for little when it is over is served.
    expect(await server.outcomeOf(0, "small")).toBe("completed");
  }
  expect(new Set(outcomes)).toEqual(new Set(["completed", "OVERLOADED"]));
  expect(await server.close()).toBe(0);
});
