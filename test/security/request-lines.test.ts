/** What an application's `authenticate` is told of a request's address, however its first line is written. */
import { once } from "node:events";
import { connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { startTestServer } from "../../src/testing/index.ts";
import { scriptedBot } from "./scripted-bot.ts";

test.each([
  ["a path", "/trpc/bots.list?input=1", "/trpc/bots.list?input=1"],
  ["a whole address", "http://evil.example/trpc/bots.list", "/trpc/bots.list"],
  ["one with a port", "http://evil.example:81/trpc/bots.list?a=b", "/trpc/bots.list?a=b"],
  ["one in capitals", "HTTPS://evil.example/trpc/bots.list", "/trpc/bots.list"],
])("%s in the request line names no other host than the header", async (_what, target, path) => {
  const told: string[] = [];
  const server = await startTestServer({
    bots: [scriptedBot()],
    authenticate: ({ url, webRequest }) => {
      told.push(url, webRequest.url);
      return { userId: "anna" };
    },
  });
  onTestFinished(() => server[Symbol.asyncDispose]());
  const host = `127.0.0.1:${server.port}`;
  const socket = connect(server.port, "127.0.0.1");
  socket.end(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  socket.resume();
  await once(socket, "close");
  expect(told).toEqual([`http://${host}${path}`, `http://${host}${path}`]);
});
