/** What a user sees of the chains of @langchain/classic, with the history as its users hand it on. */
import { AgentExecutor, createToolCallingAgent } from "@langchain/classic/agents";
import {
  ConversationalRetrievalQAChain,
  ConversationChain,
  LLMChain,
} from "@langchain/classic/chains";
import { createStuffDocumentsChain } from "@langchain/classic/chains/combine_documents";
import { createHistoryAwareRetriever } from "@langchain/classic/chains/history_aware_retriever";
import { createRetrievalChain } from "@langchain/classic/chains/retrieval";
import { BufferMemory } from "@langchain/classic/memory";
import { MemoryVectorStore } from "@langchain/classic/vectorstores/memory";
import { Document } from "@langchain/core/documents";
import { AIMessage, type BaseMessage, HumanMessage } from "@langchain/core/messages";
import { ChatPromptTemplate, MessagesPlaceholder } from "@langchain/core/prompts";
import { tool } from "@langchain/core/tools";
import { FakeEmbeddings } from "@langchain/core/utils/testing";
import { expect, test } from "vitest";
import { z } from "zod";
import type { BotDefinition, BotTurn } from "../../src/bots/bot.ts";
import { type ScriptedModel, type ScriptedReply, scriptedModel } from "../../src/testing/index.ts";
import { Conversation, type Seen } from "./conversation.ts";

const never = new Promise<never>(() => {});

const messagesOf = ({ history }: BotTurn): BaseMessage[] =>
  history.map(({ role, text }) =>
    role === "human" ? new HumanMessage(text) : new AIMessage(text),
  );

const documents = await MemoryVectorStore.fromDocuments(
  [new Document({ pageContent: "Soda is full of carbon dioxide." })],
  new FakeEmbeddings(),
);

/** Rephrases a question where it is asked to; else answers. */
function librarian(answer: ScriptedReply = { tokens: ["Because of ", "carbon dioxide."] }) {
  return scriptedModel((messages) =>
    /standalone/i.test(messages.map(({ text }) => text).join("\n"))
      ? { tokens: ["Why does soda ", "fizz?"] }
      : answer,
  );
}

const text = "Because of carbon dioxide.";

function expectAnswer(seen: Seen): void {
  expect(seen.end).toMatchObject({ status: "completed", text });
  expect(seen.live).toBe(text);
  expect(seen.history.at(-1)).toBe(text);
}

const human = new MessagesPlaceholder("chat_history");

/** As LangChain's tutorial on conversational retrieval makes it. */
async function retrievalChain(model: ScriptedModel): Promise<BotDefinition["runnable"]> {
  const retriever = await createHistoryAwareRetriever({
    llm: model,
    retriever: documents.asRetriever(),
    rephrasePrompt: ChatPromptTemplate.fromMessages([
      ["system", "Make a standalone question of it."],
      human,
      ["human", "{input}"],
    ]),
  });
  const combineDocsChain = await createStuffDocumentsChain({
    llm: model,
    prompt: ChatPromptTemplate.fromMessages([
      ["system", "Answer from {context}"],
      human,
      ["human", "{input}"],
    ]),
  });
  return createRetrievalChain({ retriever, combineDocsChain });
}

const retrievalInput = (turn: BotTurn) => ({ input: turn.message, chat_history: messagesOf(turn) });

test("createRetrievalChain: the answer is what it returned, in the next turn too", async () => {
  const model = librarian();
  await using conversation = await Conversation.with(await retrievalChain(model), {
    input: retrievalInput,
    expose: "tools",
  });
  const first = await conversation.send("Why?");
  expectAnswer(first);
  expect(JSON.stringify(first.of("retrieverEnd"))).toContain("full of carbon dioxide");
  const second = await conversation.send("Really?");
  expectAnswer(second);
  expect(second.history).toEqual(["Why?", text, "Really?", text]);
  const asked = model.calls.at(-1)?.filter(({ type }) => type !== "system");
  expect(asked?.map((message) => message.text)).toEqual(["Why?", text, "Really?"]);
});

test("createRetrievalChain, stopped: what the answering model had said", async () => {
  const model = librarian({ tokens: ["Because ", "of "], until: never });
  await using conversation = await Conversation.with(await retrievalChain(model), {
    input: retrievalInput,
  });
  const seen = await conversation.stop("Why?", (reading) =>
    reading.until((event) => event.type === "token" && event.text.endsWith("of ")),
  );
  expect(seen.end).toMatchObject({ status: "cancelled", text: "Because of " });
  expect(seen.live).toBe("Because of ");
});

test("ConversationalRetrievalQAChain: the rephrased question is no part of the answer", async () => {
  const chain = ConversationalRetrievalQAChain.fromLLM(librarian(), documents.asRetriever());
  await using conversation = await Conversation.with(chain, {
    input: (turn) => ({ question: turn.message, chat_history: messagesOf(turn) }),
  });
  expectAnswer(await conversation.send("Why?"));
  const second = await conversation.send("Really?");
  expectAnswer(second);
  expect(second.history).toEqual(["Why?", text, "Really?", text]);
});

test("ConversationChain: one memory for each conversation", async () => {
  const model = librarian();
  const memory = new BufferMemory();
  await using conversation = await Conversation.with(
    new ConversationChain({ llm: model, memory }),
    {
      input: ({ message }) => ({ input: message }),
      memory: false,
    },
  );
  expectAnswer(await conversation.send("Why?"));
  expectAnswer(await conversation.send("Really?"));
  expect(model.calls[1]?.[0]?.text).toContain(`AI: ${text}`);
});

test("LLMChain: its text is the answer", async () => {
  const prompt = ChatPromptTemplate.fromMessages([human, ["human", "{input}"]]);
  const model = librarian();
  await using conversation = await Conversation.with(new LLMChain({ llm: model, prompt }), {
    input: retrievalInput,
  });
  expectAnswer(await conversation.send("Why?"));
  expectAnswer(await conversation.send("Really?"));
  expect(model.calls[1]?.map((message) => message.text)).toEqual(["Why?", text, "Really?"]);
});

test("AgentExecutor: tools are told, the output is the answer", async () => {
  const lookUp = tool(() => "full of carbon dioxide", {
    name: "look_up",
    description: "Looks up",
    schema: z.object({ key: z.string() }),
  });
  const model = scriptedModel((messages) =>
    messages.at(-1)?.type === "tool"
      ? { tokens: ["Because of ", "carbon dioxide."] }
      : { tokens: ["Let me look. "], toolCalls: [{ name: "look_up", args: { key: "soda" } }] },
  );
  const prompt = ChatPromptTemplate.fromMessages([
    human,
    ["human", "{input}"],
    new MessagesPlaceholder("agent_scratchpad"),
  ]);
  const agent = createToolCallingAgent({ llm: model, tools: [lookUp], prompt });
  const executor = new AgentExecutor({ agent, tools: [lookUp] });
  await using conversation = await Conversation.with(executor, { expose: "tools" });
  const seen = await conversation.send("Why?");
  expectAnswer(seen);
  expect(seen.of("agentAction")).toMatchObject([{ tool: "look_up", input: { key: "soda" } }]);
  expect(seen.of("agentFinish")).toHaveLength(1);
  expectAnswer(await conversation.send("Really?"));
  expect(model.calls[2]?.map((message) => message.text)).toEqual(["Why?", text, "Really?"]);
});
