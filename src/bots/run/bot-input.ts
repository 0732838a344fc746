/**
 * What a runnable is given, when its bot has no `input` of its own. The rule looks at where the
 * runnable begins (past bindings, retries and fallbacks, at the first step of a sequence):
 *
 * | it begins with                                  | input                                        |
 * | ----------------------------------------------- | -------------------------------------------- |
 * | an agent or a graph with a `messages` channel   | `{ messages: [...messages, HumanMessage] }`  |
 * | a chat model or an LLM                          | `[...messages, HumanMessage]`                |
 * | a classic agent executor                        | `{ input, chat_history }`                    |
 * | a retriever                                     | the message's text                           |
 * | a `RunnableWithMessageHistory`                  | the message, under its `inputMessagesKey`    |
 * | a prompt with other variables than `history`    | the message, under its one variable; what    |
 * | and `human_input`                               | was said before in its MessagesPlaceholders  |
 * | anything else: a prompt, a lambda, a map …      | `{ history: BaseMessage[], human_input }`    |
 *
 * `messages` have the calls of tools and their results; `history` is questions and answers.
 */
import { HumanMessage } from "@langchain/core/messages";
import type { BotTurn } from "../bot.ts";
import { beginningOf } from "../definition/beginning.ts";
import { filled } from "../definition/prompt-variables.ts";
import { toMessage } from "../memory.ts";

export function defaultInput(runnable: unknown, { message, history, messages }: BotTurn): unknown {
  const before = history.map(toMessage);
  const beginning = beginningOf(runnable);
  if (typeof beginning === "object") {
    if ("lists" in beginning) return filled(beginning, { message, before: messages });
    const { inputMessagesKey: key } = beginning;
    return key === undefined ? [new HumanMessage(message)] : { [key]: message };
  }
  switch (beginning) {
    case "graph":
      return { messages: [...messages, new HumanMessage(message)] };
    case "model":
      return [...messages, new HumanMessage(message)];
    case "executor":
      return { input: message, chat_history: before };
    case "retriever":
      return message;
    case "chain":
      return { history: before, human_input: message };
  }
}
