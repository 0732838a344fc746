/** A bot without a provider, whose answers a test can hold back. */
import type { BaseMessage } from "@langchain/core/messages";
import { ChatPromptTemplate } from "@langchain/core/prompts";
import { type Bot, defineBot } from "../../src/bots/bot.ts";
import { type ScriptedReply, scriptedModel } from "../../src/testing/scripted-model.ts";

type Reply = (messages: readonly BaseMessage[]) => ScriptedReply;

export function scriptedBot(reply: Reply = () => ({ tokens: ["a", "b"] })): Bot {
  return defineBot({
    id: "test",
    title: "Test",
    description: "Says what it is told to.",
    runnable: ChatPromptTemplate.fromTemplate("{human_input}").pipe(scriptedModel(reply)),
  });
}
