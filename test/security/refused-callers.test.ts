/** What an operator reads of a caller who was refused, whichever way they came. */
import { Writable } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import { createLogger } from "../../src/server/logging/logger.ts";
import { startTestServer } from "../../src/testing/index.ts";
import { scriptedBot } from "./scripted-bot.ts";
import { openSocket } from "./socket.ts";

interface Line {
  readonly msg: string;
  readonly reqId: string;
  readonly address?: string;
  readonly why?: string;
  readonly req?: { readonly remoteAddress: string };
}

test("a caller who is refused is in the log with their address and their request's id", async () => {
  const lines: Line[] = [];
  const destination = new Writable({
    write: (chunk, _encoding, done) => {
      lines.push(JSON.parse(String(chunk)));
      done();
    },
  });
  const logger = createLogger({ level: "info", destination });
  const server = await startTestServer({ bots: [scriptedBot()], authenticate: () => null, logger });
  onTestFinished(() => server[Symbol.asyncDispose]());
  const ofPage = { origin: "http://127.0.0.1" };
  const ofProgram = { headers: { authorization: "Bearer x" } };
  const events = { headers: { accept: "text/event-stream" } };

  await fetch(`${server.httpUrl}/bots.list`);
  await fetch(`${server.httpUrl}/bots.list`, ofProgram);
  await (await fetch(`${server.httpUrl}/chat.follow?input={}`, events)).text();
  using socket = await openSocket(server.url, ofPage);
  await socket.closed;
  await expect(openSocket(server.url, ofProgram)).rejects.toMatchObject({ status: 401 });

  const told = (what: string) => lines.filter(({ msg }) => msg === what);
  const requests = told("incoming request").map(({ reqId, req }) => [reqId, req?.remoteAddress]);
  expect(requests).toHaveLength(5);
  const refused = () => told("caller refused").map(({ reqId, address }) => [reqId, address]);
  await expect.poll(refused).toEqual(requests);
});
