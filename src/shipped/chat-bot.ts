/** The bot to talk with: a prompt with the history, a model, a string. */
import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import { StringOutputParser } from "@langchain/core/output_parsers";
import { ChatPromptTemplate, MessagesPlaceholder } from "@langchain/core/prompts";
import { RunnableSequence } from "@langchain/core/runnables";
import { type Bot, defineBot, type Memory } from "../bots/bot.ts";
import { memoryFor } from "../bots/model-limits.ts";

const instructions =
  "You are a helpful assistant. Answer in the language of the message, unless asked otherwise.";

export function chatBot(options: { model: BaseChatModel; memory?: Memory }): Bot {
  const prompt = ChatPromptTemplate.fromMessages([
    ["system", instructions],
    new MessagesPlaceholder("history"),
    ["human", "{human_input}"],
  ]);
  return defineBot({
    id: "chat",
    title: "Chat",
    description: "Answers, and remembers the last exchanges of the conversation.",
    runnable: RunnableSequence.from([prompt, options.model, new StringOutputParser()]),
    memory: memoryFor(options.model, options.memory),
  });
}
