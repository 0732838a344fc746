/** Behind each proxy, set up as the documents say, everything is as it is without one. */

import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { join } from "node:path";
import { createTRPCClient, httpLink } from "@trpc/client";
import superjson from "superjson";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ChatRouter } from "../../src/api/router.ts";
import { networksCheck } from "../../src/server/access/addresses.ts";
import { startTestServer, type TestServer } from "../../src/testing/test-server.ts";
import { root } from "../docs/samples.ts";
import { scriptedBot } from "../security/scripted-bot.ts";
import { openSocket, subscription } from "../security/socket.ts";
import { needsProgram } from "../support/needs-program.ts";
import { idleTimeoutMs, proxies, type StartedProxy, startProxy } from "./documented-proxies.ts";

/** As 30 s is to the documented idle timeouts of 120 s, but for a margin. */
const pingMs = 400;
/** Pings in more than an idle timeout, and less than a stream lasts. */
const pings = 4;

for (const proxy of proxies) {
  needsProgram(`behind ${proxy.name}`, proxy.program, () => {
    let server: TestServer;
    let started: StartedProxy;
    let host: string;
    /** Ends the answer that is being given. */
    let answered: PromiseWithResolvers<void>;
    /** The addresses that requests were counted for, in order. */
    const addresses: string[] = [];

    beforeAll(async () => {
      server = await startTestServer({
        bots: [
          scriptedBot(() => {
            answered = Promise.withResolvers();
            return { tokens: ["a"], until: answered.promise };
          }),
        ],
        connectionLimits: { pingMs },
        trustedProxies: ["127.0.0.1"],
        allowAnonymous: true,
        requestsPerAddress: { take: async (address) => void addresses.push(address) },
      });
      started = await startProxy(proxy, server.port);
      // A page of a name and a port of its own: that is what is to arrive.
      host = `chat.example.com:${started.port}`;
    });

    afterAll(async () => {
      await started[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    });

    const open = (options: { headers?: object; localAddress?: string } = {}) =>
      openSocket(`ws://127.0.0.1:${started.port}/trpc`, {
        ...options,
        headers: { host, origin: `http://${host}`, ...options.headers },
      });

    const newRun = () => ({
      ...{ runId: randomUUID(), conversationId: randomUUID() },
      ...{ botId: "test", message: "Hello?" },
    });

    /** What it answers is an event stream, as its bytes come. */
    async function stream(path: string, input: unknown): Promise<IncomingMessage> {
      const query = `input=${encodeURIComponent(JSON.stringify({ json: input }))}`;
      const asked = request({
        ...{ host: "127.0.0.1", port: started.port, path: `/trpc/${path}?${query}` },
        headers: { host, origin: `http://${host}`, accept: "text/event-stream" },
      });
      asked.end();
      const [response]: IncomingMessage[] = await once(asked, "response");
      if (response?.statusCode !== 200) throw new Error(`It answered ${response?.statusCode}.`);
      return response.setEncoding("utf8");
    }

    async function said(response: IncomingMessage, pattern: RegExp): Promise<string> {
      let text = "";
      for await (const chunk of response.iterator({ destroyOnReturn: false })) {
        text += chunk;
        if (pattern.test(text)) return text;
      }
      throw new Error(`It ended, having said: ${text}`);
    }

    test("its own pages' sockets are let in, on whatever port, and read while the answer is given", async () => {
      using socket = await open();
      const run = newRun();
      socket.send(subscription(1, "chat.send", run));
      await socket.frame((frame) => JSON.stringify(frame).includes('"type":"token"'));
      answered.resolve();
      await socket.frame((frame) => JSON.stringify(frame).includes('"type":"runEnd"'));
      await expect(open({ headers: { origin: "http://chat.example.com" } })).rejects.toMatchObject({
        status: 403,
      });
      await expect(open({ headers: { origin: "https://evil.example" } })).rejects.toMatchObject({
        status: 403,
      });
    });

    test("an event stream is read while the answer is given", async () => {
      const response = await stream("chat.send", newRun());
      await said(response, /"type":"token"/);
      answered.resolve();
      await said(response, /"type":"runEnd"/);
    });

    test("whoever waits for longer than the proxy's idle timeout is still told", async () => {
      expect(pings * pingMs).toBeGreaterThan(idleTimeoutMs);
      const { conversationId, botId } = newRun();
      const api = createTRPCClient<ChatRouter>({
        links: [httpLink({ url: server.httpUrl, transformer: superjson })],
      });
      await api.conversations.create.mutate({ conversationId, botId });
      using socket = await open();
      socket.send(subscription(1, "chat.watch", { conversationId }));
      const response = await stream("chat.watch", { conversationId });
      const onSocket = (async () => {
        for (let count = 0; count < pings; count++) await once(socket.webSocket, "ping");
      })();
      await said(response, new RegExp(`(event: ping[^]*){${pings}}`));
      await onSocket;
      const { conversationId: _, ...run } = newRun();
      socket.send(subscription(2, "chat.send", { ...run, conversationId }));
      await said(response, /"type":"token"/);
      answered.resolve();
      await socket.frame(
        (frame) => frame.id === 1 && JSON.stringify(frame).includes('"type":"runEnd"'),
      );
      response.destroy();
    });

    test.each(["203.0.113.7", "203.0.113.7:4711", "[2001:db8::1]:80, 203.0.113.7"])(
      "a caller is the address that it connects from, and not what it says: %s",
      async (forged) => {
        addresses.length = 0;
        const localAddress = "127.0.0.9";
        using _socket = await open({ localAddress, headers: { "x-forwarded-for": forged } });
        expect(addresses).toEqual([localAddress]);
      },
    );
  });
}

test("compose.yaml trusts its balancer and nobody else on its network", async () => {
  const compose = await readFile(join(root, "compose.yaml"), "utf8");
  const settingOf = (name: string) => new RegExp(`\\b${name}: (\\S+)`).exec(compose)?.[1] ?? "";
  const isTrusted = networksCheck(settingOf("TRUSTED_PROXIES").split(","));
  const balancer = settingOf("ipv4_address");
  expect(isTrusted(balancer)).toBe(true);
  const [network = ""] = settingOf("subnet").split("/");
  const hosts = Array.from({ length: 254 }, (_, index) => network.replace(/0$/, `${index + 1}`));
  expect(hosts.filter(isTrusted)).toEqual([balancer]);
  // Engines give the other containers addresses out of this range, in whatever order they start.
  expect(networksCheck([settingOf("ip_range")])(balancer)).toBe(false);
});
