/** What a person sees who starts a server on a terminal. */
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "../faults/child-server.ts";
import { startProgram } from "../support/child-process.ts";
import { freePort } from "../support/free-port.ts";
import { needsProgram } from "../support/needs-program.ts";

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

const needed = { command: "script", debianPackage: "bsdutils" };
needsProgram("on a terminal", needed, () =>
  test("lines to read, where to open the page, and what is wrong with the settings", async () => {
    await using folder = await temporaryFolder();
    const nobody = `http://127.0.0.1:${await freePort()}/v1`;
    const command = `echo "pid $$"; exec ${process.execPath} ${main}`;
    // It gives the program a terminal.
    await using program = startProgram("script", ["-qfec", command, "/dev/null"], {
      env: {
        ...{ PORT: "0", DATA_DIR: folder.path, NO_COLOR: "1", FORCE_COLOR: undefined },
        ...{ OPENAI_BASE_URL: nobody, KEEP_EVENT: "30d" },
      },
    });
    const [, id] = await program.printed(/^pid (\d+)\r?$/m);
    const pid = Number(id);
    onTestFinished(() => {
      if (isRunning(pid)) process.kill(pid, "SIGKILL");
    });
    const [, url] = await program.printed(/^ {2}open (http:\/\/127\.0\.0\.1:\d+)\r?$/m);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    await program.printed(/^\d\d:\d\d:\d\d warn {2}KEEP_EVENT is no setting.* KEEP_EVENTS is one/m);
    await program.printed(/warn {2}The provider cannot be reached at http.*connection refused\)/);
    expect(program.output).not.toContain('{"level"');
    // Whoever closes the window ends the server, though its last words reach nobody.
    program.child.kill("SIGKILL");
    await expect.poll(() => isRunning(pid)).toBe(false);
  }),
);

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
