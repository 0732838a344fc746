/** Which signals are one wish to stop, where the process was too busy to hear them one by one. */
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { startProgram } from "../support/child-process.ts";

const shutdown = fileURLToPath(new URL("../../src/server/shutdown.ts", import.meta.url));

/** Is signalled while it closes, and is then busy for longer than signals are taken to be the same. */
const program = `
  const { Shutdown } = await import(${JSON.stringify(shutdown)});
  const say = (_facts, text = _facts) => console.log(text);
  new Shutdown({
    logger: { debug: say, info: say, warn: say, error: say },
    ...{ underWay: () => 0, graceMs: 0, timeoutMs: 60_000 },
    close: () => {
      process.kill(process.pid, "SIGINT");
      const until = performance.now() + 500;
      while (performance.now() < until);
      return new Promise(() => {});
    },
    hurry: () => {},
  }).listen();
  setInterval(() => {}, 2 ** 30);
  process.kill(process.pid, "SIGINT");
`;

test("a signal that is repeated is one wish, however busy the process was meanwhile", async () => {
  const args = ["--input-type=module", "--eval", program];
  await using child = startProgram(process.execPath, args);
  await child.printed(/repeats the one before|second signal/);
  expect(child.output).not.toContain("second signal");
});
