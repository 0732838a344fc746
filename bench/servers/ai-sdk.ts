/** The AI SDK's UI message stream over server-sent events, from LangChain's stream of chunks. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { toBaseMessages, toUIMessageStream } from "@ai-sdk/langchain";
import { pipeUIMessageStreamToResponse } from "ai";
import type { StartServer } from "./bench-server.ts";
import { createChatModel, prompt } from "./chain.ts";

export const start: StartServer = async (options) => {
  const chain = prompt.pipe(await createChatModel(options));
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { messages } = JSON.parse(Buffer.concat(chunks).toString("utf8"));
    const [message] = await toBaseMessages(messages);
    const stream = await chain.stream({ human_input: message?.text ?? "" });
    pipeUIMessageStreamToResponse({ response, stream: toUIMessageStream(stream) });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
};
