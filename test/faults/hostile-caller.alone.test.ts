/** One caller at the edge of every default limit, reading nothing: what everybody else notices. */
import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { startMockProvider } from "../support/mock-provider.ts";
import { read, wsClient } from "../support/stock-client.ts";
import { defaultLimits, startChildServer, temporaryFolder } from "./child-server.ts";
import { experience, newRun, startHostile } from "./experience.ts";
import { faultRow } from "./fault-table.ts";
import { full, sized } from "./form.ts";

const mebibyte = 1024 * 1024;
const hostileFile = new URL("./hostile-caller.ts", import.meta.url);
/** Below this a time says more of the machine than of the server. */
const floorMs = 30;

test("one hostile caller within every default limit costs others little", {
  timeout: 180_000,
}, async (context) => {
  const row = faultRow(context, "one caller asks all that limits allow and reads nothing");
  await using provider = await startMockProvider();
  provider.answerAll({ steps: ["one ", "two"] });
  await using folder = await temporaryFolder();
  await using server = await startChildServer({
    ...defaultLimits,
    DATA_DIR: folder.path,
    OPENAI_BASE_URL: provider.baseUrl,
    OPENAI_API_KEY: "test-key",
    MEMORY_EXCHANGES: "0",
  });
  using honest = wsClient(server.url, { userId: "ann" });
  const conversationId = randomUUID();
  {
    using mallory = wsClient(server.url, { userId: "mallory" });
    for (let index = 0; index < 36; index++) {
      const run = { ...newRun(conversationId), message: "m".repeat(30_000) };
      await read((options) => mallory.api.chat.send.subscribe(run, options)).completed;
    }
  }
  const before = await experience(server, honest, 2_000);
  await using _hostile = await startHostile(hostileFile, [String(server.port), conversationId]);
  const during = await experience(server, honest, sized({ short: 10_000, full: 60_000 }));
  context.annotate(JSON.stringify({ before, during }));
  expect(during.rssBytes - before.rssBytes).toBeLessThan(256 * mebibyte);
  expect(during.healthMs).toBeLessThan(250);
  // The worst single one, with room for a machine on which everything is late.
  expect(during.worstHealthMs).toBeLessThan((full ? 250 : 1_000) + 3 * during.latestMs);
  expect(during.listMs).toBeLessThan(Math.max(3 * before.listMs, floorMs));
  expect(during.tokenMs).toBeLessThan(Math.max(3 * before.tokenMs, 2 * floorMs));
  expect(during.refused).toBe(0);
  expect(server.complaints).toEqual([]);
  row.cases = 1;
});
