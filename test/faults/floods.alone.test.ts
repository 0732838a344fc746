/**
 * Floods from one address, with every default limit: what they cost the server, and everybody else. In the short form
 * some of the worst come together; in the full one each comes alone, to a server of its own.
 */
import { expect, type TestContext, test } from "vitest";
import { startMockProvider } from "../support/mock-provider.ts";
import { read, wsClient } from "../support/stock-client.ts";
import { defaultLimits, startChildServer, temporaryFolder } from "./child-server.ts";
import { experience, newRun, startHostile } from "./experience.ts";
import { faultRow } from "./fault-table.ts";
import { type FloodName, floodNames } from "./flood-names.ts";
import { full } from "./form.ts";

const mebibyte = 1024 * 1024;
const hostileFile = new URL("./flood-caller.ts", import.meta.url);
const longAnswer = Array.from({ length: 256 }, (_, at) => `${at} `.padEnd(16 * 1024, "abcdefgh "));

async function expectBounded(
  { annotate }: TestContext,
  floods: readonly FloodName[],
  { forMs, answer }: { forMs: number; answer: string[] },
): Promise<void> {
  await using provider = await startMockProvider();
  await using folder = await temporaryFolder();
  await using server = await startChildServer({
    ...defaultLimits,
    DATA_DIR: folder.path,
    OPENAI_BASE_URL: provider.baseUrl,
    OPENAI_API_KEY: "test-key",
    MEMORY_EXCHANGES: "0",
  });
  const run = newRun();
  {
    using mallory = wsClient(server.url, { userId: "mallory0" });
    provider.answerAll({ steps: answer });
    const { api } = mallory;
    await read((options) => api.chat.send.subscribe(run, options)).completed;
  }
  provider.answerAll({ steps: ["one ", "two"] });
  using honest = wsClient(server.url, { userId: "ann" });
  const before = await experience(server, honest, 1_000);
  const ids = [run.conversationId, run.runId];
  await using _hostile = await startHostile(hostileFile, [String(server.port), ...ids, ...floods]);
  const during = await experience(server, honest, forMs);
  await annotate(JSON.stringify({ floods, before, during }));
  expect(during.rssBytes - before.rssBytes).toBeLessThan(256 * mebibyte);
  expect(during.healthMs).toBeLessThan(250 + during.latestMs);
  expect(server.complaints).toEqual([]);
}

test("floods of the smallest pieces cost others little, and the server 256 MiB at most", async (context) => {
  const row = faultRow(context, "floods of fragments, chunks, headers and requests");
  const worst = [
    "fragments of one byte",
    "bodies in chunks of one byte",
    "headers",
    "requests behind one another",
  ] as const;
  await expectBounded(context, worst, { forMs: 3_500, answer: ["one"] });
  row.cases = worst.length;
});

if (full) {
  test.for(floodNames)("a flood of %s", async (name, context) => {
    const row = faultRow(context, `a flood of ${name}`);
    await expectBounded(context, [name], { forMs: 20_000, answer: longAnswer });
    row.cases = 1;
  });
}
