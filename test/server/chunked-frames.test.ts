/** A socket opened with `?chunks=1`: long frames come in pieces, so that a slow link shows that it lives. */
import { randomUUID } from "node:crypto";
import { on, once } from "node:events";
import { RunnableLambda } from "@langchain/core/runnables";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { defineBot } from "../../src/index.ts";
import { startTestServer } from "../../src/testing/index.ts";

const pieceBytes = 4 * 1024;

/** Every message of the socket until the run's end; the last one's text is put together. */
async function messagesOf(answer: string): Promise<{ sizes: number[]; text: string }> {
  const runnable = RunnableLambda.from(() => answer);
  await using server = await startTestServer({
    bots: [defineBot({ id: "test", title: "Test", description: "", runnable })],
  });
  const socket = new WebSocket(`${server.url}?chunks=1`);
  const received = on(socket, "message");
  await once(socket, "open");
  const input = {
    json: { botId: "test", message: "hi", conversationId: randomUUID(), runId: randomUUID() },
  };
  socket.send(
    JSON.stringify({ id: 1, method: "subscription", params: { path: "chat.send", input } }),
  );
  const sizes: number[] = [];
  const pieces: Buffer[] = [];
  for await (const [data, isBinary] of received as AsyncIterable<[Buffer, boolean]>) {
    sizes.push(data.length);
    if (isBinary) {
      pieces.push(data);
      continue;
    }
    const text = data.length > 0 ? String(data) : String(Buffer.concat(pieces.splice(0)));
    if (!text.includes('"runEnd"')) continue;
    socket.terminate();
    return { sizes, text };
  }
  throw new Error("the socket ended before the run");
}

test.each([
  ["Latin letters", "a".repeat(3 * pieceBytes)],
  // Fewer characters than a piece has bytes, and more bytes.
  ["Japanese", "水".repeat(pieceBytes / 2)],
])("no message is longer than a piece: %s", async (_script, answer) => {
  const { sizes, text } = await messagesOf(answer);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(pieceBytes);
  expect(JSON.parse(text)).toMatchObject({
    result: { data: { json: { data: { text: answer } } } },
  });
});
