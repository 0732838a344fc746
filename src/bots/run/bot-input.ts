/**
 * What a runnable is given, when its bot has no `input` of its own. The rule looks at where the
 * runnable begins (past bindings, retries and fallbacks, at the first step of a sequence):
 *
 * | it begins with                                  | input                                        |
 * | ----------------------------------------------- | -------------------------------------------- |
 * | an agent or a graph with a `messages` channel   | `{ messages: [...history, HumanMessage] }`   |
 * | a chat model or an LLM                          | `[...history, HumanMessage]`                 |
 * | a classic agent executor                        | `{ input, chat_history }`                    |
 * | a retriever                                     | the message's text                           |
 * | a `RunnableWithMessageHistory`                  | the message, under its `inputMessagesKey`    |
 * | anything else: a prompt, a lambda, a map …      | `{ history: BaseMessage[], human_input }`    |
 */
import { AIMessage, type BaseMessage, HumanMessage } from "@langchain/core/messages";
import type { HistoryMessage } from "../bot.ts";

export function defaultInput(
  runnable: unknown,
  history: readonly HistoryMessage[],
  message: string,
): unknown {
  const before = history.map(toMessage);
  const beginning = beginningOf(runnable);
  if (typeof beginning === "object") {
    const { inputMessagesKey: key } = beginning;
    return key === undefined ? [new HumanMessage(message)] : { [key]: message };
  }
  switch (beginning) {
    case "graph":
      return { messages: [...before, new HumanMessage(message)] };
    case "model":
      return [...before, new HumanMessage(message)];
    case "executor":
      return { input: message, chat_history: before };
    case "retriever":
      return message;
    case "chain":
      return { history: before, human_input: message };
  }
}

function toMessage({ role, text }: HistoryMessage): BaseMessage {
  return role === "human" ? new HumanMessage(text) : new AIMessage(text);
}

type Beginning =
  | "graph"
  | "model"
  | "executor"
  | "retriever"
  | "chain"
  /** It keeps the conversation by itself, by `sessionId`. */
  | { readonly inputMessagesKey: string | undefined };

function beginningOf(runnable: unknown): Beginning {
  if (typeof runnable !== "object" || runnable === null) return "chain";
  if (isGraph(runnable)) return "graph";
  if ("_modelType" in runnable) return "model";
  if ("agent" in runnable && "tools" in runnable) return "executor";
  if ("_getRelevantDocuments" in runnable) return "retriever";
  if ("getMessageHistory" in runnable && "inputMessagesKey" in runnable) {
    const { inputMessagesKey: key } = runnable;
    return { inputMessagesKey: typeof key === "string" ? key : undefined };
  }
  for (const inner of ["first", "bound", "runnable"] as const) {
    const part: unknown = inner in runnable ? Reflect.get(runnable, inner) : undefined;
    if (typeof part === "object" && part !== null) return beginningOf(part);
  }
  return "chain";
}

/** A compiled graph, or an agent around one (`createAgent`), that takes messages. */
function isGraph(runnable: object): boolean {
  if ("lg_is_pregel" in runnable && "channels" in runnable) {
    const { channels } = runnable;
    return typeof channels === "object" && channels !== null && "messages" in channels;
  }
  return "graph" in runnable && typeof runnable.graph === "object" && runnable.graph !== null
    ? isGraph(runnable.graph)
    : false;
}
