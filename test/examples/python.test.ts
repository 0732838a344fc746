/** PROTOCOL.md is enough to write a client: examples/python/chat.py was, and it holds. */
import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { LangwireError } from "../../src/index.ts";
import { chatBot } from "../../src/shipped/chat-bot.ts";
import { scriptedModel, startTestServer } from "../../src/testing/index.ts";
import { startProgram } from "../support/child-process.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";

const python = "/usr/bin/python3";
const client = new URL("../../examples/python/chat.py", import.meta.url).pathname;
const installed = spawnSync(python, ["-c", "import websockets"]).status === 0;

function ask(port: number, env: Record<string, string> = {}) {
  const url = `ws://127.0.0.1:${port}/trpc`;
  return startProgram(python, [client, "Soda?"], { env: { LANGWIRE_URL: url, ...env } });
}

describe("a client in Python", () => {
  if (!installed) {
    test("a Python to test with", ({ skip }) => {
      const why = "websockets is not installed (Debian: apt-get install python3-websockets)";
      if (process.env.CI === "true") throw new Error(why);
      console.warn(`\n*** SKIPPED: the client in Python. ${why}\n`);
      skip(why);
    });
    return;
  }

  test("prints the answer", async () => {
    const model = scriptedModel([{ tokens: ["Es", " sprudelt", " 🫧."] }]);
    await using server = await startTestServer({ bots: [chatBot({ model })] });
    await using program = ask(server.port);
    expect(await program.exited).toBe(0);
    expect(program.output).toMatch(/^Es sprudelt 🫧\.\n\[completed\]/);
  });

  test("misses nothing when its socket breaks, and asks the model once", async () => {
    const tokens = Array.from({ length: 60 }, (_, at) => `${at} `);
    const model = scriptedModel([{ tokens, paceMs: 10 }]);
    await using server = await startTestServer({ bots: [chatBot({ model })] });
    await using proxy = await startTcpProxy({ port: server.port });
    await using program = ask(proxy.port);
    for (const seen of ["5 ", "20 ", "40 "]) {
      await program.printed(new RegExp(`(^| )${seen}`));
      proxy.cut();
    }
    expect(await program.exited).toBe(0);
    expect(program.output.startsWith(`${tokens.join("")}\n[completed]`)).toBe(true);
    expect(model.calls).toHaveLength(1);
  });

  test("says why it was refused", async () => {
    await using server = await startTestServer({ bots: [] });
    await using program = ask(server.port);
    expect(await program.exited).toBe(1);
    expect(program.output).toMatch(/^NOT_FOUND: /);
  });

  test("ends when its token is not taken", async () => {
    const authenticate = () => Promise.reject(new LangwireError("UNAUTHORIZED"));
    await using server = await startTestServer({ bots: [], authenticate });
    await using program = ask(server.port, { LANGWIRE_TOKEN: "no" });
    expect(await program.exited).toBe(1);
    expect(program.output).toMatch(/^UNAUTHORIZED: /);
  });
});
