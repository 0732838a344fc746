/** A bot without a provider, whose answers a test can hold back. */
import { ChatPromptTemplate } from "@langchain/core/prompts";
import { type Bot, defineBot } from "../../src/bots/bot.ts";
import { type ScriptedReply, scriptedModel } from "../../src/testing/scripted-model.ts";

export function scriptedBot(reply: () => ScriptedReply = () => ({ tokens: ["a", "b"] })): Bot {
  return defineBot({
    id: "test",
    title: "Test",
    description: "Says what it is told to.",
    runnable: ChatPromptTemplate.fromTemplate("{human_input}").pipe(scriptedModel(reply)),
  });
}
