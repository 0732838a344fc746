/** The graph that LangGraph's server loads. */
import { END, MessagesAnnotation, START, StateGraph } from "@langchain/langgraph";
import type { ChatOpenAI } from "@langchain/openai";
import type { BenchServerOptions } from "./bench-server.ts";
import { createChatModel } from "./chain.ts";

export const settings: { options: BenchServerOptions } = {
  options: { providerUrl: "", fetch: "stock" },
};

let model: ChatOpenAI | undefined;

export const graph = new StateGraph(MessagesAnnotation)
  .addNode("chat", async ({ messages }) => {
    model ??= await createChatModel(settings.options);
    return { messages: [await model.invoke(messages)] };
  })
  .addEdge(START, "chat")
  .addEdge("chat", END)
  .compile();
