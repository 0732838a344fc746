/** A container of 512 MB under more and larger runs than it can hold: it lives, and says so to some. */
import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { startProgram } from "../support/child-process.ts";
import { memoryCgroup } from "../support/memory-cgroup.ts";
import { startMockProvider } from "../support/mock-provider.ts";
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

test("a server in 512 MB lives through 32 large runs at once, again and again", {
  timeout: 280_000,
}, async () => {
  await using folder = await temporaryFolder();
  await using provider = await startMockProvider();
  await using cgroup = await memoryCgroup(512 * mebibyte);
  const piece = "lorem ipsum dolor sit amet ".repeat(150);
  const steps = Array.from({ length: Math.ceil(answerBytes / piece.length) }, () => piece);
  provider.answerAll(({ lastText }) => ({ steps: lastText === "small" ? ["small"] : steps }));
  // Where no cgroup may be made: the heap alone, as large as Node makes it in one.
  const enter = cgroup === undefined ? "" : `echo $$ > ${cgroup.processes} &&`;
  const options = cgroup === undefined ? "--max-old-space-size=256" : "";
  await using server = startProgram("sh", ["-c", `${enter} exec node ${options} "$0"`, main], {
    env: {
      ...{
        PORT: "0",
        DATA_DIR: folder.path,
        MAX_LOOP_LAG_MS: "60000",
        MAX_RUNS_PER_MINUTE: "1000",
      },
      ...{ OPENAI_BASE_URL: provider.baseUrl, OPENAI_API_KEY: "test-key" },
    },
  });
  const [, host] = await server.printed(/listening at http:\/\/(127\.0\.0\.1:\d+)/);
  // Clients would wait for it.
  const died = server.exited.then((code): never => {
    throw new Error(`it ended with ${code}:\n${server.output.slice(-2_000)}`);
  });
  await using clients = new AsyncDisposableStack();
  const apis = Array.from({ length: users }, (_, user) => {
    const client = wsClient(`ws://${host}/trpc`, { userId: `user-${user}` });
    return clients.use(client).api;
  });
  const outcomeOf = async (index: number, message: string): Promise<string> => {
    const ids = { runId: randomUUID(), conversationId: randomUUID() };
    const api = apis[index % users];
    if (api === undefined) throw new Error("no such user");
    const { completed } = read((on) =>
      api.chat.send.subscribe({ ...ids, botId: "chat", message }, on),
    );
    const answered = completed.catch((cause: unknown) => codeOf(cause));
    const received = await Promise.race([answered, died]);
    if (typeof received === "string") return received;
    const end = received.at(-1)?.event;
    if (end?.type !== "runEnd") return "no end";
    return end.error?.code ?? end.status;
  };
  const outcomes: string[] = [];
  for (let round = 0; round < rounds; round++) {
    const large = Array.from({ length: runsAtOnce }, (_, index) => outcomeOf(index, "large"));
    outcomes.push(...(await Promise.all(large)));
    // Who asks for little when it is over is served.
    expect(await outcomeOf(0, "small")).toBe("completed");
  }
  expect(new Set(outcomes)).toEqual(new Set(["completed", "OVERLOADED"]));
  died.catch(() => {});
  server.child.kill("SIGTERM");
  expect(await server.exited).toBe(0);
});
