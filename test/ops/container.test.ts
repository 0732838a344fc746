/** The container file's steps, followed without an engine, lead to a server that is well. */
import { expect, test } from "vitest";
import { startProgram } from "../support/child-process.ts";
import { freePort } from "../support/free-port.ts";

test("the container's steps end in a healthy server without rights", async () => {
  const steps = new URL("../../ops/container-steps.sh", import.meta.url).pathname;
  const AUTH_SECRET = "a-secret-that-is-long-enough-for-hs256";
  const env = { AUTH_SECRET, PORT: String(await freePort()) };
  await using program = startProgram(steps, ["--link-modules"], { env });
  expect(await program.exited, program.output).toBe(0);
  expect(program.output).toMatch(/^healthy, as user (?!0$)\d+$/m);
  expect(program.output).toContain("stopped, with code 0");
});
