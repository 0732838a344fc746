/** Every example starts by the command that it names, and does what it says. */
import { randomUUID } from "node:crypto";
import { cp, mkdtemp, mkdtempDisposable, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTRPCClient, createWSClient, wsLink } from "@trpc/client";
import superjson from "superjson";
import { build } from "vite";
import { expect, test } from "vitest";
import type { AppRouter } from "../../examples/mount-into-trpc.ts";
import { defineBot } from "../../src/index.ts";
import { scriptedModel, startTestServer } from "../../src/testing/index.ts";
import { startProgram } from "../support/child-process.ts";
import { read, wsClient } from "../support/stock-client.ts";
import { expectWholeRun, ofType, tokensOf } from "../support/transcript.ts";

const root = new URL("../..", import.meta.url).pathname;

/** Runs an example in a folder of its own, with the built-in model. */
async function runExample(name: string, env: Record<string, string> = {}, args: string[] = []) {
  const cwd = await mkdtemp(join(tmpdir(), "langwire-example-"));
  const program = startProgram(
    process.execPath,
    ["--conditions=langwire-source", join(root, "examples/run.ts"), name, ...args],
    { cwd, env: { PORT: "0", OPENAI_API_KEY: "", MODEL: "local:", ...env } },
  );
  return Object.assign(program, {
    [Symbol.asyncDispose]: async () => {
      if (program.child.exitCode === null) program.child.kill("SIGTERM");
      await program.exited;
      await rm(cwd, { recursive: true });
    },
  });
}

function hello(botId: string) {
  return { runId: randomUUID(), botId, conversationId: randomUUID(), message: "Soda water" };
}

test("mount-into-trpc: one application, both routers", async () => {
  await using app = await runExample("mount-into-trpc");
  const [, port] = await app.printed(/port: (\d+)/);
  const webSocket = createWSClient({
    url: `ws://127.0.0.1:${port}`,
    connectionParams: { email: "ann@example.com" },
  });
  const client = createTRPCClient<AppRouter>({
    links: [wsLink({ client: webSocket, transformer: superjson })],
  });
  expect(await client.greet.query()).toBe("Hello, ann@example.com");
  const reading = read((options) => client.ai.chat.send.subscribe(hello("chat"), options));
  expect(expectWholeRun(await reading.completed).status).toBe("completed");
  await webSocket.close();
});

test("langgraph-bot: a graph's nodes are spans, and only the writer's words are the answer", async () => {
  await using app = await runExample("langgraph-bot");
  const [, port] = await app.printed(/listening http:\/\/[^:]+:(\d+)/);
  using client = wsClient(`ws://127.0.0.1:${port}/trpc`);
  const reading = read((options) => client.api.chat.send.subscribe(hello("writer"), options));
  const received = await reading.completed;
  expect(expectWholeRun(received)).toMatchObject({
    status: "completed",
    text: tokensOf(received),
  });
  const names = ofType(received, "chainStart").map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(["plan", "write"]));
});

test("vite-react: is built where it has been copied to, beside none of the repository's files", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "langwire-example-"));
  const copy = join(folder.path, "examples/vite-react");
  await cp(join(root, "examples/vite-react"), copy, { recursive: true });
  await symlink(join(root, "node_modules"), join(folder.path, "node_modules"));
  const conditions = ["langwire-source", "module", "browser", "development|production"];
  const built = await build({ root: copy, logLevel: "silent", resolve: { conditions } });
  expect(JSON.stringify(built)).toContain("assets/index-");
});

test("node-script: asks whatever bot there is what it was given, and prints the answer", async () => {
  const model = scriptedModel([{ tokens: ["It", " fizzes."] }]);
  const own = defineBot({ id: "own", title: "Own", description: "", runnable: model });
  await using server = await startTestServer({ bots: [own] });
  await using script = await runExample("node-script", { LANGWIRE_URL: server.url }, ["Soda?"]);
  expect(await script.exited).toBe(0);
  expect(script.output).toMatch(/^It fizzes\.\n\[completed\]/);
  expect(model.calls[0]?.at(-1)?.text).toBe("Soda?");
  const env = { LANGWIRE_URL: server.url, LANGWIRE_BOT: "none" };
  await using refused = await runExample("node-script", env);
  expect(await refused.exited).toBe(1);
  expect(refused.output).toBe("No such bot.\n");
});
