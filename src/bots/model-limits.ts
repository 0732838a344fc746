/** How many tokens the context of a model holds, by how its name begins. */
import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import type { Memory } from "./bot.ts";
import { defaultContextTokens } from "./definition/settings.ts";

const contextTokensByPrefix: Readonly<Record<string, number>> = {
  "gpt-3.5": 16_385,
  "gpt-4": 8_192,
  "gpt-4-turbo": 128_000,
  "gpt-4o": 128_000,
  "gpt-4.1": 1_047_576,
  "gpt-5": 400_000,
  o1: 200_000,
  o3: 200_000,
  "o4-mini": 200_000,
  claude: 200_000,
  gemini: 1_048_576,
  "mistral-large": 128_000,
  "mistral-small": 128_000,
  mistral: 32_000,
  deepseek: 64_000,
  command: 128_000,
  grok: 131_072,
  llama3: 8_192,
  "llama3.1": 128_000,
  "llama3.2": 128_000,
  "llama3.3": 128_000,
  qwen2: 32_768,
  qwen3: 32_768,
  "langwire-local": 32_768,
};

/** @param model A model's name, with or without its provider: `openai:gpt-4.1-mini`. */
export function contextTokensOf(model: string): number {
  const name = model.slice(model.indexOf(":") + 1).toLowerCase();
  let longest = "";
  for (const prefix of Object.keys(contextTokensByPrefix)) {
    if (prefix.length > longest.length && name.startsWith(prefix)) longest = prefix;
  }
  return contextTokensByPrefix[longest] ?? defaultContextTokens;
}

/** The memory of a bot that ships: its settings, completed with the size of its model's context. */
export function memoryFor(model: BaseChatModel, memory: Memory = { k: 2 }): Required<Memory> {
  const name = "model" in model && typeof model.model === "string" ? model.model : "";
  return { k: memory.k, contextTokens: memory.contextTokens ?? contextTokensOf(name) };
}
