/**
 * A bot with a LangGraph graph of your own: it plans, then writes. Every node shows as a span.
 *
 *   npm i langwire langwire-client @langchain/core @langchain/langgraph
 *   node langgraph-bot.ts
 */
import { HumanMessage, SystemMessage } from "@langchain/core/messages";
import { END, MessagesAnnotation, START, StateGraph } from "@langchain/langgraph";
import { createModel, createServer, defineBot, openLangwire } from "langwire";

const model = await createModel({
  model: process.env.MODEL ?? "openai:gpt-4.1-mini",
  openaiApiKey: process.env.OPENAI_API_KEY,
});

const graph = new StateGraph(MessagesAnnotation)
  .addNode("plan", async ({ messages }) => {
    const instructions = new SystemMessage("Name three points to make. Nothing else.");
    // The plan is for the graph's own use: `nostream` keeps it out of the answer.
    const plan = await model.invoke([instructions, ...messages], { tags: ["nostream"] });
    return { messages: [new HumanMessage(`Write along these points:\n${plan.text}`)] };
  })
  .addNode("write", async ({ messages }) => ({ messages: [await model.invoke(messages)] }))
  .addEdge(START, "plan")
  .addEdge("plan", "write")
  .addEdge("write", END)
  .compile();

const langwire = await openLangwire({
  bots: [
    defineBot({
      id: "writer",
      title: "Writer",
      description: "Plans, then writes.",
      runnable: graph,
    }),
  ],
  dataDir: "./data",
});
const server = await createServer({ langwire });
process.once("SIGTERM", async () => {
  await server.close(1_000);
  await langwire[Symbol.asyncDispose]();
});
const address = await server.listen({ port: Number(process.env.PORT ?? 3001) });
console.log(
  `listening ${address}; try: npx langwire chat --url ${address} --bot writer "Soda water"`,
);
