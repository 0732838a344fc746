/**
 * Frames that no honest client sends, against a server in a process of its own. Whatever comes, the
 * server stays up, fails at nothing, keeps nothing, is never kept busy for long by one write, and an
 * honest client beside the hostile ones sees nothing of it.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  expectUnharmed,
  type FuzzedServer,
  fuzzCases,
  honestClient,
  inTime,
  startFuzzedServer,
} from "./fuzzed-server.ts";
import { type Hostile, hostileFrames } from "./hostile-frames.ts";
import { openRawSocket, pong, textFrame } from "./raw-socket.ts";

const cases = fuzzCases(300);
/** At once: one that is cut within a frame is waited for for a second. */
const together = 5;
const timeoutMs = cases * 200 + 60_000;
const longestTurnMs = 50;

const addresses = ["/trpc", "/trpc", "/trpc?connectionParams=1"];

async function attack(port: number, path: string, frames: readonly Hostile[]): Promise<void> {
  using raw = await openRawSocket(port, path);
  for (const { bytes } of frames) raw.socket.write(bytes);
  // Its answer says that all before it was dealt with; unless the server still waits for the rest.
  if (!frames.some(({ dangling }) => dangling)) {
    raw.socket.write(textFrame("PING"));
    await inTime(raw.waitFor(pong));
  }
  raw.socket.end();
  await inTime(raw.closed);
}

const sockets = fc.array(fc.tuple(fc.constantFrom(...addresses), hostileFrames), {
  minLength: together,
  maxLength: together,
});

test(`${cases} hostile sockets`, { timeout: timeoutMs }, async () => {
  await using server = await startFuzzedServer();
  await warmUp(server);
  const honest = honestClient(server.port);
  await fc.assert(
    fc.asyncProperty(sockets, async (all) => {
      await Promise.all(all.map(([path, frames]) => attack(server.port, path, frames)));
      expect(server.alive).toBe(true);
    }),
    // A failure that waits for an answer takes long to shrink: what is found by then has to do.
    {
      numRuns: cases / together,
      interruptAfterTimeLimit: timeoutMs - 30_000,
      markInterruptAsFailure: true,
    },
  );
  const { longest } = await expectUnharmed(server, honest);
  if (longest.ms < longestTurnMs) return;
  // A collection of garbage may have been what took so long: then it does not when written again.
  const again: number[] = [];
  for (let round = 0; round < 3; round++) {
    await server.forget();
    const bytes = Buffer.from(longest.bytes, "hex");
    await attack(server.port, "/trpc", [{ bytes, dangling: true }]);
    again.push((await server.report()).longest.ms);
  }
  expect([Math.min(...again) < longestTurnMs, longest.bytes]).toEqual([true, longest.bytes]);
});

async function warmUp(server: FuzzedServer): Promise<void> {
  const honest = honestClient(server.port);
  for (const frames of fc.sample(hostileFrames, 60)) await attack(server.port, "/trpc", frames);
  await honest.stop();
  await server.forget();
}
