/**
 * How a server is asked to stop, by whom: one wish arrives once or several times, through npm and
 * whatever shell npm runs, or from a supervisor that signals a group.
 */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, onTestFailed, onTestFinished, test } from "vitest";
import { nodeArguments } from "../cli/run-langwire.ts";
import { temporaryFolder } from "../faults/child-server.ts";
import { type StartedProgram, startProgram } from "../support/child-process.ts";
import { type MockProvider, startMockProvider } from "../support/mock-provider.ts";
import { read, wsClient } from "../support/stock-client.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const inNode = ["node", "src/main.ts"];
const inNpm = ["npm", "start"];
/** A wish to stop that comes as much later is another one: nobody presses Ctrl-C again sooner. */
const anotherWishMs = 400;

let provider: MockProvider;
beforeAll(async () => {
  provider = await startMockProvider();
});
afterAll(() => provider[Symbol.asyncDispose]());

/** A server with a run in progress, whose answer ends when it is released. */
async function setUp([command = "", ...args]: readonly string[], env: Record<string, string> = {}) {
  const stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder());
  const rest = Promise.withResolvers<void>();
  provider.answer({ steps: ["half", { until: rest.promise }, " whole"] });
  const program = startProgram(command, args, {
    cwd: root,
    detached: true,
    env: {
      ...{ PORT: "0", DATA_DIR: folder.path, LOG_LEVEL: "debug", SHUTDOWN_GRACE_MS: "60000" },
      ...{ OPENAI_BASE_URL: provider.baseUrl, OPENAI_API_KEY: "test-key" },
      ...env,
    },
  });
  onTestFailed(() => void process.stderr.write(program.output));
  const { pid } = program.child;
  if (pid === undefined) throw new Error(`${command} did not start`);
  // Where the server survives npm, it is still in npm's group.
  stack.defer(() => endGroup(pid));
  // A test that timed out disposes of nothing.
  onTestFinished(() => endGroup(pid));
  const [, host = ""] = await program.printed(/listening at http:\/\/(127\.0\.0\.1:\d+)/);
  const client = stack.use(wsClient(`ws://${host}/trpc`));
  const run = {
    ...{ runId: randomUUID(), conversationId: randomUUID() },
    ...{ botId: "chat", message: "hello" },
  };
  const reading = read((options) => client.api.chat.send.subscribe(run, options));
  await reading.until(({ type }) => type === "token");
  return {
    program,
    group: -pid,
    release: () => rest.resolve(),
    ending: async () => (await reading.completed).at(-1)?.event,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

function endGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // All of it has ended.
  }
}

async function heeded(program: StartedProgram): Promise<void> {
  await program.printed(
    /"msg":"closing: up to 60 s for 1 run that is under way; a second signal ends them at once"/,
  );
}

async function repeated(program: StartedProgram): Promise<void> {
  await program.printed(/"msg":"a signal that repeats the one before"/);
}

/** Whether it comes twice is up to the system, which makes one of two that wait. */
async function heededOften(program: StartedProgram): Promise<void> {
  await heeded(program);
  await Promise.race([repeated(program), delay(anotherWishMs)]);
}

const completed = { type: "runEnd", status: "completed", text: "half whole" };

test("a signal that comes twice at once leaves runs their grace", async () => {
  await using s = await setUp(inNode);
  s.program.child.kill("SIGTERM");
  s.program.child.kill("SIGINT");
  await repeated(s.program);
  s.release();
  expect(await s.ending()).toMatchObject(completed);
  expect(await s.program.exited).toBe(0);
  expect(s.program.output).toContain('"msg":"closed"');
});

test("one that comes later ends runs at once, in order", async () => {
  await using s = await setUp(inNode);
  s.program.child.kill("SIGTERM");
  await heeded(s.program);
  await delay(anotherWishMs);
  s.program.child.kill("SIGTERM");
  const error = { code: "SERVER_RESTARTED" };
  expect(await s.ending()).toMatchObject({ status: "failed", text: "half", error });
  expect(await s.program.exited).toBe(0);
});

test("`timeout`, which signals its child and then the group", async () => {
  await using s = await setUp(["timeout", "600", ...inNode]);
  s.program.child.kill("SIGTERM");
  await heededOften(s.program);
  s.release();
  expect(await s.ending()).toMatchObject(completed);
  await s.program.exited;
  expect(s.program.output).not.toContain("a second signal: ");
});

const shells = ["/bin/bash", "/bin/dash"];

describe.each(shells)("npm start, where npm's shell is %s", (shell) => {
  const env = { npm_config_script_shell: shell };

  test("a terminal's Ctrl-C, to the whole group", async () => {
    await using s = await setUp(inNpm, env);
    process.kill(s.group, "SIGINT");
    await heededOften(s.program);
    s.release();
    expect(await s.ending()).toMatchObject(completed);
    await s.program.exited;
    expect(s.program.output).not.toContain("a second signal: ");
  });

  test("SIGTERM to npm stops the server too, with its grace", async () => {
    await using s = await setUp(inNpm, env);
    s.program.child.kill("SIGTERM");
    await heeded(s.program);
    s.release();
    expect(await s.ending()).toMatchObject(completed);
    // Not before the server has closed the pipe that it has from npm.
    await s.program.exited;
  });
});

/** dash ends of SIGTERM without a word to what it runs, unless that takes its place. */
describe("where dash stands between npm and the server", () => {
  const env = { npm_config_script_shell: "/bin/dash", npm_config_update_notifier: "false" };
  const inScript = (script: string) => ["npm", "exec", "--offline", "-c", script];
  const main = "node src/main.ts";
  const langwire = `node ${nodeArguments.map((word) => `'${word}'`).join(" ")}`;

  test.each([
    ["langwire start", `${langwire} start`],
    ["langwire dev", `${langwire} dev --no-open`],
    ["what a program of the script has started", `/bin/dash -c '${main}; true'; true`],
  ])("SIGTERM to npm stops %s, with its grace", async (_which, script) => {
    await using s = await setUp(inScript(script), env);
    s.program.child.kill("SIGTERM");
    await s.program.printed(/closing: up to 60 s for 1 run that is under way/);
    s.release();
    expect(await s.ending()).toMatchObject(completed);
    await s.program.exited;
    expect(s.program.output).not.toContain("a second signal: ");
    expect(s.program.output).toContain("closed");
  });

  /** Several looks at whether npm is there. */
  const looksMs = 1_000;

  test("nohup npm start & goes on when what has started it ends", async () => {
    const script = `nohup npm exec --offline -c '${main}' & wait`;
    await using s = await setUp(["/bin/dash", "-c", script], env);
    s.program.child.kill("SIGTERM");
    await left(s);
    s.release();
    expect(await s.ending()).toMatchObject(completed);
  });

  test("a script's server goes on that has been given a session of its own", async () => {
    await using s = await setUp(inScript(`setsid ${main} & echo "pid $!."; wait`), env);
    const [, pid] = await s.program.printed(/pid (\d+)\./);
    onTestFinished(() => void process.kill(Number(pid), "SIGKILL"));
    s.program.child.kill("SIGTERM");
    await left(s);
    s.release();
    expect(await s.ending()).toMatchObject(completed);
  });

  async function left({ program }: { program: StartedProgram }): Promise<void> {
    const { child } = program;
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    await delay(looksMs);
    expect(program.output).not.toContain("closing");
  }
});
