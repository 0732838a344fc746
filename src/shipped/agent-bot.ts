/** The bot that uses tools: arithmetic, the time, and what Langwire's documents say. */
import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import { createAgent } from "langchain";
import { type Bot, defineBot, type Memory } from "../bots/bot.ts";
import { memoryFor } from "../bots/model-limits.ts";
import { calculatorTool, searchTool, timeTool } from "./tools/agent-tools.ts";

const instructions =
  "You are a helpful assistant. Use the calculator for arithmetic, the time tool for dates and times, and the search for questions about Langwire. Answer in the language of the message, unless asked otherwise.";

export function agentBot(options: { model: BaseChatModel; memory?: Memory }): Bot {
  return defineBot({
    id: "agent",
    title: "Agent",
    description: "Computes, tells the time, and searches Langwire's own documents.",
    runnable: createAgent({
      model: options.model,
      tools: [calculatorTool, timeTool, searchTool],
      systemPrompt: instructions,
    }),
    memory: memoryFor(options.model, options.memory),
    expose: "tools",
  });
}
