import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import { createAgent, tool } from "langchain";
import { defineBot } from "langwire";
import { z } from "zod";

/** A tool: what the model may call. Its description and its schema tell the model when and how. */
const time = tool(
  ({ timeZone }) =>
    new Intl.DateTimeFormat("en-GB", { timeZone, dateStyle: "full", timeStyle: "short" }).format(),
  {
    name: "time",
    description: "Tells the date and the time of now in a time zone.",
    schema: z.object({ timeZone: z.string().describe("An IANA time zone, such as Asia/Tokyo") }),
  },
);

/** The bot on a model: the real one in bots.ts, a scripted one in the test. */
export function assistantOn(model: BaseChatModel) {
  return defineBot({
    id: "assistant",
    title: "Assistant",
    description: "Answers, and knows what time it is.",
    runnable: createAgent({
      model,
      tools: [time],
      systemPrompt: "You are a helpful assistant. Answer in the language of the message.",
    }),
    // Clients are shown which tools run, with what, and what they say.
    expose: "tools",
  });
}
