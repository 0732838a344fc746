/** The rows of the matrix: LangChain's packages of models, each with the mock of its own protocol. */
import { ChatAnthropic } from "@langchain/anthropic";
import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import { ChatGoogleGenerativeAI } from "@langchain/google-genai";
import { ChatGroq } from "@langchain/groq";
import { ChatMistralAI } from "@langchain/mistralai";
import { ChatOllama } from "@langchain/ollama";
import { ChatOpenAI } from "@langchain/openai";
import { createModel } from "../../../src/shipped/model.ts";
import { anthropicMessages } from "../mocks/anthropic-messages.ts";
import {
  groqCompletions,
  mistralCompletions,
  openaiCompletions,
} from "../mocks/chat-completions.ts";
import { geminiContent } from "../mocks/gemini-content.ts";
import { ollamaChat } from "../mocks/ollama-chat.ts";
import { openaiResponses } from "../mocks/openai-responses.ts";
import type { ProviderProtocol } from "../mocks/provider-protocol.ts";

export type StructuredMethod = "functionCalling" | "jsonSchema" | "jsonMode";

export interface Row {
  readonly name: string;
  readonly protocol: ProviderProtocol;
  /** @param url The mock's, without a path. */
  readonly model: (url: string) => BaseChatModel | Promise<BaseChatModel>;
  /** The methods that the package's `withStructuredOutput` has. */
  readonly structured: readonly StructuredMethod[];
  /** What the protocol has in answers beside text, reasoning and tool calls. */
  readonly gives: readonly ("image" | "source" | "refusal")[];
  /** What the package reads of the usage, beside input and output. */
  readonly counts: { readonly cachedInputTokens?: number; readonly reasoningTokens?: number };
}

const apiKey = "test-key";
const all = ["functionCalling", "jsonSchema", "jsonMode"] as const;

export const rows: readonly Row[] = [
  {
    name: "ChatAnthropic",
    protocol: anthropicMessages,
    model: (url) =>
      new ChatAnthropic({
        model: "claude-sonnet-4-5",
        apiKey,
        anthropicApiUrl: url,
        maxRetries: 0,
      }),
    structured: ["functionCalling", "jsonSchema"],
    gives: ["source"],
    counts: { cachedInputTokens: 4 },
  },
  {
    name: "ChatGoogleGenerativeAI",
    protocol: geminiContent,
    model: (url) =>
      new ChatGoogleGenerativeAI({
        model: "gemini-2.5-flash",
        apiKey,
        baseUrl: url,
        maxRetries: 0,
      }),
    structured: ["functionCalling", "jsonSchema"],
    gives: ["image", "source"],
    counts: { cachedInputTokens: 4 },
  },
  {
    name: "ChatMistralAI",
    protocol: mistralCompletions,
    model: (url) =>
      new ChatMistralAI({ model: "mistral-small-latest", apiKey, serverURL: url, maxRetries: 0 }),
    structured: ["functionCalling", "jsonMode"],
    gives: [],
    counts: {},
  },
  {
    name: "ChatOllama",
    protocol: ollamaChat,
    model: (url) => new ChatOllama({ model: "qwen3", baseUrl: url, think: true, maxRetries: 0 }),
    structured: all,
    gives: [],
    counts: {},
  },
  {
    name: "ChatGroq",
    protocol: groqCompletions,
    model: (url) =>
      new ChatGroq({ model: "openai/gpt-oss-20b", apiKey, baseUrl: url, maxRetries: 0 }),
    structured: all,
    gives: [],
    counts: {},
  },
  {
    name: "ChatOpenAI, completions",
    protocol: openaiCompletions,
    model: (url) =>
      new ChatOpenAI({
        model: "gpt-4.1-mini",
        apiKey,
        configuration: { baseURL: `${url}/v1` },
        maxRetries: 0,
      }),
    structured: all,
    gives: ["source", "refusal"],
    counts: { cachedInputTokens: 4, reasoningTokens: 3 },
  },
  {
    name: "ChatOpenAI, Responses",
    protocol: openaiResponses,
    model: (url) =>
      new ChatOpenAI({
        model: "gpt-5-mini",
        apiKey,
        configuration: { baseURL: `${url}/v1` },
        maxRetries: 0,
        useResponsesApi: true,
      }),
    structured: all,
    gives: ["image", "source", "refusal"],
    counts: { cachedInputTokens: 4, reasoningTokens: 3 },
  },
  {
    name: "createModel",
    protocol: openaiCompletions,
    model: (url) =>
      createModel({
        model: "openai:gpt-4.1-mini",
        openaiApiKey: apiKey,
        openaiBaseUrl: `${url}/v1`,
        maxRetries: 0,
      }),
    structured: all,
    gives: ["image", "source", "refusal"],
    counts: { cachedInputTokens: 4, reasoningTokens: 3 },
  },
];
