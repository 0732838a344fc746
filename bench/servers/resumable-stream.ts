/**
 * The AI SDK's message stream, kept by `resumable-stream` on Redis: whoever posts a message has it begun,
 * and whoever asks any node for the stream by its name reads it.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { toUIMessageStream } from "@ai-sdk/langchain";
import { JsonToSseTransformStream } from "ai";
import { createResumableStreamContext } from "resumable-stream/redis";
import type { StartServer } from "./bench-server.ts";
import { createChatModel, prompt } from "./chain.ts";

export const start: StartServer = async (options) => {
  const chain = prompt.pipe(await createChatModel(options));
  const context = createResumableStreamContext({ waitUntil: null });

  async function begin(id: string, message: string): Promise<void> {
    const answer = await chain.stream({ human_input: message });
    const made = await context.createNewResumableStream(id, () =>
      toUIMessageStream(answer).pipeThrough(new JsonToSseTransformStream()),
    );
    // Nobody reads it here.
    if (made != null) void made.pipeTo(new WritableStream());
  }

  const server = createServer(async (request, response) => {
    if (request.method === "POST") {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const { id, message } = JSON.parse(Buffer.concat(chunks).toString("utf8"));
      await begin(id, message);
      response.writeHead(200).end();
      return;
    }
    const stream = await context.resumeExistingStream((request.url ?? "").slice(1));
    response.writeHead(stream == null ? 404 : 200, { "content-type": "text/event-stream" });
    if (stream == null) response.end();
    else Readable.from(stream).pipe(response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
};
