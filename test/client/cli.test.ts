import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { RunnableLambda } from "@langchain/core/runnables";
import { describe, expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import type { ChatEvent } from "../../client/src/index.ts";
import { defineBot } from "../../src/index.ts";
import { startTestServer } from "../../src/testing/index.ts";
import { expectWholeRun } from "../support/transcript.ts";
import { setUp } from "./set-up.ts";

const main = fileURLToPath(new URL("../../client/src/cli/main.ts", import.meta.url));

interface Chat {
  readonly child: ChildProcess;
  output(): { stdout: string; stderr: string };
  /** Settles when the text has been written, on either stream. */
  until(text: string): Promise<void>;
  readonly ended: Promise<{ code: number | null; stdout: string; stderr: string }>;
}

function chat(
  args: readonly string[],
  { input, env = {} }: { input?: string; env?: Record<string, string> } = {},
): Chat {
  const { FORCE_COLOR: _, NO_COLOR: __, ...inherited } = process.env;
  const child = spawn(process.execPath, [main, ...args], { env: { ...inherited, ...env } });
  onTestFinished(() => void child.kill("SIGKILL"));
  const written = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (data: string) => {
      written[name] += data;
    });
  }
  if (input !== undefined) child.stdin.end(input);
  return {
    child,
    output: () => ({ ...written }),
    until: async (text) => {
      while (!written.stdout.includes(text) && !written.stderr.includes(text)) {
        await Promise.race([once(child.stdout, "data"), once(child.stderr, "data")]);
      }
    },
    ended: once(child, "close").then(([code]) => ({ code: code as number | null, ...written })),
  };
}

const csi = "\u001b[";

async function startServer() {
  const setting = await setUp();
  return {
    ...setting,
    to: ["--bot", "test", "--url", `ws://127.0.0.1:${setting.proxy.port}/trpc`],
  };
}

/** Answers with its input's number under its own name. */
const typed = (id: string) =>
  defineBot({
    ...{ id, title: id, description: "" },
    input: z.object({ n: z.number() }),
    output: z.record(z.string(), z.number()),
    runnable: RunnableLambda.from(({ n }: { n: number }) => ({ [id]: n })),
  });

describe("one message", () => {
  test("is answered, without colours in a pipe, and the usage comes last", async () => {
    const { to } = await startServer();
    const { code, stdout, stderr } = await chat([...to, "hello", "there"]).ended;
    expect(stdout.split("\n")).toEqual([
      expect.stringMatching(/^> Entering new .+ chain\.\.\.$/),
      "You said: hello there",
      "> Finished chain.",
      expect.stringMatching(/^Tokens: \d+ in, \d+ out, \d+ in all$/),
      "",
    ]);
    expect(stdout).not.toContain(csi);
    expect(stderr).toBe("");
    expect(code).toBe(0);
  });

  test("has colours where they are forced", async () => {
    const { to } = await startServer();
    const { stdout } = await chat([...to, "hello"], { env: { FORCE_COLOR: "1" } }).ended;
    expect(stdout).toContain(`${csi}36m`);
    expect(stdout).toContain(`${csi}1m> Finished chain.${csi}22m`);
  });

  test("comes from standard input with -, and as JSON with --json", async () => {
    const { to, provider } = await startServer();
    const input = "line one\nline two\n";
    const { code, stdout } = await chat([...to, "--json", "-"], { input }).ended;
    const events = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as ChatEvent);
    const received = events.map((event, index) => ({ id: String(index), event }));
    expect(expectWholeRun(received).status).toBe("completed");
    expect(provider.calls[0]?.lastText).toBe("line one\nline two");
    expect(code).toBe(0);
  });

  test("that fails shows its code, and exits with 1", async () => {
    const { to, provider } = await startServer();
    provider.answer({ status: 401 });
    const { code, stdout } = await chat([...to, "hello"]).ended;
    expect(stdout).toContain("MODEL_AUTHENTICATION: ");
    expect(code).toBe(1);
  });

  test("that is refused says why, and exits with 1", async () => {
    const { to } = await startServer();
    const { code, stdout, stderr } = await chat([...to, "--bot", "nobody", "hello"]).ended;
    expect(stderr).toMatch(/^NOT_FOUND: .+\nThere is no bot nobody\. There are: test\.\n$/);
    expect(stdout).toBe("");
    expect(code).toBe(1);
  });

  test("whose bot throws says what it threw with --verbose, if the server is in development", async () => {
    const runnable = RunnableLambda.from(() => {
      throw new TypeError("no city");
    });
    const bots = [defineBot({ id: "test", title: "Test", description: "", runnable })];
    await using server = await startTestServer({ bots, observer: {}, dev: true });
    const to = ["--url", server.url, "hello"];
    const brief = await chat(to).ended;
    expect(brief).toMatchObject({ code: 1, stdout: expect.stringMatching(/^BOT_FAILED: /m) });
    expect(brief.stdout).not.toContain("no city");
    const { stdout } = await chat(["--verbose", ...to]).ended;
    expect(stdout).toMatch(/^TypeError: no city\n {4}at .*cli\.test\.ts:\d+:\d+/m);
  });

  test("without a server gets a friendly word, and exits with 1", async () => {
    const { to, proxy } = await startServer();
    await proxy[Symbol.asyncDispose]();
    const { code, stderr } = await chat([...to, "hello"]).ended;
    expect(stderr).toMatch(/^No server answers at ws:\/\/127\.0\.0\.1.*: connection refused\.$/m);
    expect(stderr).toContain("langwire dev");
    expect(code).toBe(1);
  });

  test("whose server goes away says what it waits for", async () => {
    const { to, provider, proxy } = await startServer();
    const { promise, resolve } = Promise.withResolvers<void>();
    onTestFinished(() => resolve());
    provider.answer({ steps: ["before", { until: promise }] });
    const one = chat([...to, "hello"]);
    await one.until("before");
    await proxy[Symbol.asyncDispose]();
    await one.until("Waiting for ws://127.0.0.1");
    expect(one.output().stderr).toMatch(
      /^Connection lost, trying again…\nWaiting for ws:.*: connection refused\.\n$/,
    );
  });

  test("goes on over a lost connection, and says that it was lost", async () => {
    const { to, provider, proxy } = await startServer();
    const { promise, resolve } = Promise.withResolvers<void>();
    provider.answer({ steps: ["before", { until: promise }, " and after"] });
    const one = chat([...to, "hello"]);
    await one.until("before");
    proxy.cut();
    await one.until("Connection lost");
    resolve();
    const { code, stdout } = await one.ended;
    expect(stdout).toContain("before and after\n");
    expect(code).toBe(0);
  });
});

describe("without --bot", () => {
  test("the first bot that the server lists answers", async () => {
    const { to } = await startServer();
    const { code, stdout } = await chat([...to.slice(2), "hello"]).ended;
    expect(stdout).toContain("You said: hello\n");
    expect(code).toBe(0);
  });

  test("a conversation goes on with its own", async () => {
    await using server = await startTestServer({ bots: [typed("first"), typed("second")] });
    const to = ["--url", server.url, "--conversation", crypto.randomUUID(), "--input", '{"n":1}'];
    await chat([...to, "--bot", "second"]).ended;
    const { stdout } = await chat(to).ended;
    expect(stdout).toContain('"second": 1');
  });
});

describe("--input", () => {
  test("is sent to a typed bot, whose output is shown", async () => {
    await using server = await startTestServer({ bots: [typed("double")] });
    const { code, stdout } = await chat(["--url", server.url, "--input", '{"n":21}']).ended;
    expect(stdout).toContain('"double": 21');
    expect(code).toBe(0);
  });

  test("that does not fit is refused with the field's name", async () => {
    await using server = await startTestServer({ bots: [typed("double")] });
    const { code, stderr } = await chat(["--url", server.url, "--input", '{"n":"x"}']).ended;
    expect(stderr).toMatch(/^BAD_INPUT: .*n/);
    expect(code).toBe(1);
  });
});

describe("Ctrl-C", () => {
  test("cancels the run and says so", async () => {
    const { to, provider } = await startServer();
    provider.answer({ steps: ["half an answer", "stall"] });
    const one = chat([...to, "hello"]);
    await one.until("half an answer");
    one.child.kill("SIGINT");
    const { code, stdout, stderr } = await one.ended;
    expect(stderr).toContain("Cancelling…");
    expect(stdout).toContain("half an answer\nCancelled.\n");
    expect(code).toBe(130);
    expect(await provider.calls[0]?.closed).toBe("aborted");
  });

  test("a second time leaves at once, even when the server does not answer", async () => {
    const { to, provider, proxy } = await startServer();
    provider.answer({ steps: ["half an answer", "stall"] });
    const one = chat([...to, "hello"]);
    await one.until("half an answer");
    proxy.pause();
    one.child.kill("SIGINT");
    await one.until("Cancelling…");
    one.child.kill("SIGINT");
    expect((await one.ended).code).toBe(130);
  });
});

describe("without a message", () => {
  test("a conversation goes on, a message a line, and the bot remembers", async () => {
    const { to, provider, client } = await startServer();
    const input = "my name is Ann\n\nwho am I?\n  \n";
    const { code, stdout, stderr } = await chat(to, { input }).ended;
    // A line of blanks is no message, not even one that is refused.
    expect(stderr).toBe("");
    expect(stdout).toContain("You said: my name is Ann\n");
    expect(stdout).toContain("You said: who am I?\n");
    expect(provider.calls).toHaveLength(2);
    const asked = provider.calls[1]?.request.messages.map(({ content }) => content);
    expect(asked).toContain("my name is Ann");
    expect((await client.conversations.list()).items).toHaveLength(1);
    expect(code).toBe(0);
  });

  test("a conversation can be taken up again", async () => {
    const { to, provider } = await startServer();
    const conversation = ["--conversation", crypto.randomUUID()];
    await chat([...to, ...conversation, "one"]).ended;
    await chat([...to, ...conversation, "two"]).ended;
    expect(provider.calls[1]?.request.messages.map(({ content }) => content)).toContain("one");
  });
});

test("--history shows what was said before", async () => {
  const { to } = await startServer();
  const conversation = ["--conversation", crypto.randomUUID()];
  await chat([...to, ...conversation, "one"]).ended;
  const { code, stdout } = await chat([...to, ...conversation, "--history"]).ended;
  expect(stdout.split("\n")).toEqual(["local:", "one", "You said: one", ""]);
  expect(code).toBe(0);
  const json = await chat([...to, ...conversation, "--history", "--json"]).ended;
  expect(
    json.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).role),
  ).toEqual(["human", "ai"]);
});

describe("wrong usage", () => {
  test.each([
    ["an unknown option", ["--colour"], undefined],
    ["a URL that is none", ["--url", "nowhere", "hello"], undefined],
    ["an empty message", ["-"], "\n"],
    ["an input that is no JSON", ["--input", "{n:1}"], undefined],
    ["an input and a message", ["--input", "1", "hello"], undefined],
    ["the history of no conversation", ["--history"], undefined],
  ])("%s exits with 2 and names --help", async (_what, args, input) => {
    const { code, stderr } = await chat(args, input === undefined ? {} : { input }).ended;
    expect(stderr).toMatch(/^[^\n]+\nSee langwire-chat --help\.\n$/);
    expect(code).toBe(2);
  });

  test("--help is not wrong", async () => {
    const { code, stdout } = await chat(["--help"]).ended;
    expect(stdout).toContain("Exit codes: 0 answered");
    expect(code).toBe(0);
  });
});
