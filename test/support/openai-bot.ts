/** A bot as its users write it: prompt, the real `ChatOpenAI`, a parser; talking to a mock provider. */
import { StringOutputParser } from "@langchain/core/output_parsers";
import { ChatPromptTemplate, MessagesPlaceholder } from "@langchain/core/prompts";
import { ChatOpenAI } from "@langchain/openai";
import { type Bot, defineBot } from "../../src/bots/bot.ts";

export function openaiBot(baseURL: string, id = "test"): Bot {
  const prompt = ChatPromptTemplate.fromMessages([
    ["system", "You are a test."],
    new MessagesPlaceholder("history"),
    ["human", "{human_input}"],
  ]);
  const model = new ChatOpenAI({
    model: "gpt-4.1-mini",
    apiKey: "test-key",
    maxRetries: 0,
    configuration: { baseURL },
  });
  return defineBot({
    id,
    title: "Test",
    description: "Answers what the mock provider says.",
    runnable: prompt.pipe(model).pipe(new StringOutputParser()),
  });
}
