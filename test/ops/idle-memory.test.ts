/** What a server holds that has started, and has nothing to do. */
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { temporaryFolder } from "../faults/child-server.ts";
import { startProgram } from "../support/child-process.ts";

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
/** With what strips types, 30 MiB more than what is compiled; before it gives back what starting took, 280. */
const mostMebibytes = 200;

test("a server that has started gives back what starting took", async () => {
  await using folder = await temporaryFolder();
  await using server = startProgram(process.execPath, [main], {
    env: { PORT: "0", DATA_DIR: folder.path, LOG_LEVEL: "debug", LOG_FORMAT: "json" },
  });
  const [, after] = await server.printed(/"after":(\d+),"msg":"MiB resident/);
  expect(Number(after)).toBeLessThan(mostMebibytes);
});
