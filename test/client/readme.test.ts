import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { startTestServer } from "../../src/testing/index.ts";
import { startMockProvider } from "../support/mock-provider.ts";
import { openaiBot } from "../support/openai-bot.ts";

const readme = new URL("../../client/README.md", import.meta.url);

test("the README's first sample runs as it stands", async () => {
  await using provider = await startMockProvider();
  await using server = await startTestServer({ bots: [openaiBot(provider.baseUrl, "chat")] });
  provider.answer({ steps: ["Bubbles, ", "bubbles."] });
  const [, sample = ""] = /```ts\n([\s\S]*?)```/.exec(await readFile(readme, "utf8")) ?? [];
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      "--conditions=langwire-source",
      "--input-type=module-typescript",
      "--eval",
      sample.replace("ws://127.0.0.1:3000/trpc", server.url),
    ],
    { cwd: fileURLToPath(new URL("../..", import.meta.url)) },
  );
  expect(stdout).toMatch(/^Bubbles, bubbles\.\ncompleted \{ inputTokens: \d+/);
});
