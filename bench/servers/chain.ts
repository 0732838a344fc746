/** The chain that every peer serves, as LangChain's documentation builds one. */
import { StringOutputParser } from "@langchain/core/output_parsers";
import { ChatPromptTemplate } from "@langchain/core/prompts";
import { ChatOpenAI } from "@langchain/openai";
import type { BenchServerOptions } from "./bench-server.ts";

const eventFetchPath = "../../src/event-fetch/event-fetch.ts";

export async function createChatModel(options: BenchServerOptions): Promise<ChatOpenAI> {
  const configuration: { baseURL: string; fetch?: typeof fetch } = { baseURL: options.providerUrl };
  if (options.fetch === "events") {
    const { createEventFetch } = (await import(eventFetchPath)) as {
      createEventFetch: () => typeof fetch;
    };
    configuration.fetch = createEventFetch();
  }
  return new ChatOpenAI({
    model: "gpt-4.1-mini",
    temperature: 0,
    apiKey: "bench",
    maxRetries: 3,
    configuration,
  });
}

export const prompt = ChatPromptTemplate.fromMessages([
  ["system", "You are a helpful assistant."],
  ["human", "{human_input}"],
]);

export async function createChain(options: BenchServerOptions) {
  return prompt.pipe(await createChatModel(options)).pipe(new StringOutputParser());
}
