import { expect, test } from "vitest";
import { startProgram } from "../support/child-process.ts";
import { setUp } from "./set-up.ts";

const root = new URL("../../", import.meta.url).pathname;

test.each([
  ["has asked something", `await client.bots.list();`],
  ["has read an answer", `console.log(await client.send({ botId: "test", message: "hi" }).text);`],
  [
    "has left what it read",
    `for await (const _ of client.send({ botId: "test", message: "hi" })) break;`,
  ],
  [
    "gave up on a server that is away",
    `const away = createClient({ url: "ws://127.0.0.1:9/trpc" });
     const run = away.send({ botId: "test", message: "hi" });
     setTimeout(() => run.detach(), 300);`,
  ],
])("a script that %s ends by itself", async (_what, code) => {
  const { server } = await setUp();
  const script = `import { createClient } from "./client/src/index.ts";
    const client = createClient({ url: "${server.url}" });
    ${code}`;
  const args = ["--conditions=langwire-source", "--input-type=module", "-e", script];
  await using program = startProgram(process.execPath, args, { cwd: root });
  expect(await program.exited).toBe(0);
});
