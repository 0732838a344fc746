/** A key that must not be seen, looked for wherever the server writes. */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { startProgram } from "../support/child-process.ts";
import { type Reply, startMockProvider } from "../support/mock-provider.ts";
import { openSocket, request, subscription } from "./socket.ts";

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const keyCanary = "sk-canary-4f1d2c7b9a8e";
/** Of an address that is no setting. It is there encoded, and is said in other forms. */
const password = "p@ss/canary-61c0e9";
const passwordCanary = /canary-61c0e9/;
const promptCanary = "prompt-canary-77aa01";
const headerCanary = "header-canary-33bb02";
const tokenCanary = "token-canary-55cc03";

async function setUp(level: string) {
  const stack = new AsyncDisposableStack();
  const dataDir = await mkdtemp(join(tmpdir(), "langwire-secrets-"));
  stack.defer(() => rm(dataDir, { recursive: true }));
  const provider = stack.use(await startMockProvider());
  const server = stack.use(
    startProgram(process.execPath, [main], {
      env: {
        PORT: "0",
        DATA_DIR: dataDir,
        LOG_LEVEL: level,
        // As out of a file, with what was behind it there.
        OPENAI_API_KEY: `${keyCanary} \r`,
        HTTPS_PROXY: `http://user:${encodeURIComponent(password)}@127.0.0.1:1`,
        OTHER_DATABASE_URL: "mysql://user:100%@127.0.0.1/x",
        OPENAI_BASE_URL: provider.baseUrl,
      },
    }),
  );
  const [, host] = await server.printed(/listening at http:\/\/(127\.0\.0\.1:\d+)/);
  return { provider, server, host, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** Ways in which a provider fails while it repeats what it was asked, and with which key. */
const failures: Record<string, Reply> = {
  "the key is wrong": {
    status: 401,
    body: `{"error":{"message":"Incorrect API key provided: ${keyCanary}","code":"${keyCanary}"}}`,
  },
  "the prompt is wrong": {
    status: 400,
    headers: { "x-request-id": keyCanary },
    body: `{"error":{"message":"bad prompt: ${promptCanary}, key ${keyCanary}"}}`,
  },
  "the model is unknown": { status: 404, body: `no model for ${keyCanary}: ${promptCanary}` },
  "a proxy repeats what it was told": {
    status: 407,
    body: `{"error":{"message":"${password}, Basic ${Buffer.from(`user:${password}`).toString("base64")}"}}`,
  },
  "the answer is no answer": { steps: [Buffer.from(`data: {"${keyCanary} ${promptCanary}\n\n`)] },
  "the answer breaks off": { steps: ["half", "cut"] },
};

describe.each(["info", "trace"])("at log level %s", (level) => {
  test("keys, prompts, tokens and headers stay where they are", async () => {
    await using s = await setUp(level);
    const url = `ws://${s.host}/trpc?connectionParams=1&token=${tokenCanary}`;
    using socket = await openSocket(url, {
      headers: { "x-custom": headerCanary, cookie: headerCanary },
    });
    socket.send({ method: "connectionParams", data: { userId: "ann", token: tokenCanary } });
    let id = 0;
    const seen: string[] = [];
    for (const reply of Object.values(failures)) {
      s.provider.answer(reply);
      const ids = { runId: randomUUID(), conversationId: randomUUID() };
      const run = { ...ids, botId: "chat", message: `say ${promptCanary}` };
      socket.send(subscription(++id, "chat.send", run));
      await socket.frame((frame) => frame.id === id && frame.result?.type === "stopped");
      const events = socket.frames.filter((frame) => frame.id === id);
      expect(JSON.stringify(events)).toContain('"status":"failed"');
      seen.push(...events.map((event) => JSON.stringify(event)));
      socket.send(request(++id, `no.such.${tokenCanary}`));
      socket.send(request(++id, "chat.cancel", { runId: tokenCanary }, "mutation"));
      seen.push(JSON.stringify(await socket.frame((frame) => frame.id === id)));
    }
    const headers = { "x-custom": headerCanary, authorization: `Bearer ${tokenCanary}` };
    for (const path of ["/readyz", "/healthz", "/metrics", "/nowhere", "/trpc/bots.list", "/%"]) {
      const answer = await fetch(`http://${s.host}${path}?token=${tokenCanary}`, { headers });
      seen.push(JSON.stringify([...answer.headers]), await answer.text());
    }
    const wire = seen.join("\n");
    expect(wire).not.toContain(keyCanary);
    expect(wire).not.toContain(headerCanary);
    expect(wire).not.toMatch(/\bat \w.*\.(ts|js|mjs):\d+/);
    expect(wire).not.toContain("node_modules");
    s.server.child.kill("SIGTERM");
    expect(await s.server.exited).toBe(0);
    const log = s.server.output;
    expect(log).toContain('"code":"MODEL_AUTHENTICATION"');
    expect(log).not.toContain(keyCanary);
    expect(log).not.toContain(headerCanary);
    expect(log).not.toMatch(passwordCanary);
    expect(log).not.toContain(Buffer.from("canary-61c0e9").toString("base64").slice(2, -4));
    if (level === "trace") expect(log).toContain("[secret], Basic");
    if (level === "info") expect(log).not.toMatch(new RegExp(`${promptCanary}|${tokenCanary}`));
    for (const line of log.trim().split("\n")) expect(() => JSON.parse(line)).not.toThrow();
  });
});
