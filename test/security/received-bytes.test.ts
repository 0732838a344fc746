/** What requests may cost before they are worked on: their bytes, and what they are made of. */
import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { startTestServer } from "../../src/testing/test-server.ts";
import { scriptedBot } from "./scripted-bot.ts";
import { codeOf, openSocket, request } from "./socket.ts";

const start = (maxAnswerBytesPerSecondPerUser?: number) =>
  startTestServer({
    bots: [scriptedBot()],
    ...(maxAnswerBytesPerSecondPerUser !== undefined && {
      connectionLimits: { maxAnswerBytesPerSecondPerUser },
    }),
  });

const fields = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`field${index}`, index]));

async function as(userId: string, url: string) {
  const socket = await openSocket(`${url}?connectionParams=1`);
  socket.send({ method: "connectionParams", data: { userId } });
  socket.send(request("hello", "bots.list"));
  await socket.frame(({ id }) => id === "hello");
  return socket;
}

function post(port: number, path: string, body: unknown, userId = "mallory") {
  return fetch(`http://127.0.0.1:${port}/trpc/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-user-id": userId },
    body: JSON.stringify(body),
  });
}

async function codeIn(response: Response): Promise<string | undefined> {
  return codeOf((await response.json()) as Parameters<typeof codeOf>[0]);
}

describe("bytes", () => {
  test("who has sent more than the rate allows is not read on, on no socket; others are", async () => {
    await using server = await start(1_000);
    const [one, two] = [await as("mallory", server.url), await as("mallory", server.url)];
    using honest = await as("ann", server.url);
    // Refused at once: what it costs are its bytes.
    one.send({ id: 1, padding: "x".repeat(100_000) });
    await one.frame(({ id }) => id === 1);
    // The first frame behind it may be under way already, and is the last one.
    for (const socket of [one, two]) {
      for (const id of [2, 3]) socket.send({ id, padding: "x".repeat(200_000) });
    }
    for (const id of [1, 2, 3]) {
      honest.send(request(id, "bots.list"));
      await honest.frame((frame) => frame.id === id);
    }
    expect([one, two].flatMap(({ frames }) => frames.filter(({ id }) => id === 3))).toEqual([]);
    for (const socket of [one, two]) socket[Symbol.dispose]();
  });

  test("over HTTP a call beyond it is refused, and others' are not", async () => {
    await using server = await start(10_000);
    const { port } = server;
    const padded = { json: { conversationId: randomUUID(), padding: "x".repeat(200_000) } };
    expect(await codeIn(await post(port, "conversations.share", padded))).toBe("RATE_LIMITED");
    const plain = { json: { conversationId: randomUUID() } };
    const answers = [
      post(port, "conversations.share", plain),
      post(port, "conversations.share", plain, "ann"),
    ];
    const codes = await Promise.all((await Promise.all(answers)).map(codeIn));
    expect(codes).toEqual(["RATE_LIMITED", "NOT_FOUND"]);
  });
});

describe("what would take long to parse", () => {
  test("is answered as an input of the wrong shape, over a socket and over HTTP", async () => {
    await using server = await start();
    using socket = await openSocket(server.url);
    socket.send(request(1, "conversations.list", fields(10_000)));
    expect(codeOf(await socket.frame(({ id }) => id === 1))).toBe("BAD_INPUT");
    const answer = await post(server.port, "conversations.create", { json: fields(10_000) });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain("The input has too many values.");
  });
});
