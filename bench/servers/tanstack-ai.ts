/** TanStack AI's WebSocket stream with its memory durability, fed by LangChain's stream. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { EventType, memoryStream, type StreamChunk, toWebSocketStream } from "@tanstack/ai";
import { WebSocketServer } from "ws";
import type { StartServer } from "./bench-server.ts";
import { createChain } from "./chain.ts";

export const start: StartServer = async (options) => {
  const chain = await createChain(options);
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");

  async function* answer(
    message: string,
    ids: { threadId: string; runId: string; signal: AbortSignal },
  ): AsyncGenerator<StreamChunk> {
    const { threadId, runId, signal } = ids;
    const messageId = runId;
    yield { type: EventType.RUN_STARTED, threadId, runId };
    yield { type: EventType.TEXT_MESSAGE_START, messageId, role: "assistant" };
    for await (const delta of await chain.stream({ human_input: message }, { signal })) {
      if (delta !== "") yield { type: EventType.TEXT_MESSAGE_CONTENT, messageId, delta };
    }
    yield { type: EventType.TEXT_MESSAGE_END, messageId };
    yield { type: EventType.RUN_FINISHED, threadId, runId, finishReason: "stop" };
  }

  server.on("connection", (socket, request) => {
    toWebSocketStream(socket, new Request(`http://127.0.0.1${request.url}`), {
      onRun: ({ messages, ...ids }) => answer(textOf(messages.at(-1)), ids),
      durability: ({ request }) => memoryStream(request),
    });
  });
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}` };
};

function textOf(message: object | undefined): string {
  if (message !== undefined && "content" in message) return String(message.content);
  throw new Error("the message has no text");
}
