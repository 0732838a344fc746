/** What Langwire serves: every bot, agent, graph or chain that this file exports. */
import { createModel } from "langwire";
import { assistantOn } from "./assistant.ts";

const { MODEL = "openai:gpt-4.1-mini", OPENAI_API_KEY, OPENAI_BASE_URL } = process.env;

/** Without a key or an address, a small built-in model, which says so. */
const model = await createModel({
  model: MODEL,
  openaiApiKey: OPENAI_API_KEY,
  openaiBaseUrl: OPENAI_BASE_URL,
});

export const assistant = assistantOn(model);
