/** Where the commands that ask a server look for it. */
import { expect, onTestFinished, test, vi } from "vitest";
import { withOwnPort } from "../../src/cli/server-url.ts";

test.each([
  ["4999", ["--url", "http://127.0.0.1:4999/"]],
  ["65535", ["--url", "http://127.0.0.1:65535/"]],
  // A port that the system chooses is known to nobody; the rest is refused where a server starts.
  ...["0", "", "-1", "65536", "80.5", "http"].map((port): [string, string[]] => [port, []]),
])("with PORT=%j", (port, before) => {
  vi.stubEnv("PORT", port);
  onTestFinished(() => void vi.unstubAllEnvs());
  const args = ["list", "--url", "http://chat.test"];
  // Of two addresses the later one counts: what was asked for goes before what is set.
  expect(withOwnPort(args, "http://127.0.0.1:3000")).toEqual([...before, ...args]);
});
