/** The bots that ship, on the one model of the settings. */
import { agentBot } from "../shipped/agent-bot.ts";
import { chatBot } from "../shipped/chat-bot.ts";
import { LocalModel } from "../shipped/local/local-model.ts";
import { createModel } from "../shipped/model.ts";
import type { LoadProgram } from "./program.ts";
import { warnIfUnreachable } from "./provider-check.ts";
import { wrongSetting } from "./wrong-setting.ts";

export const shippedProgram: LoadProgram = async (settings, logger) => {
  const { MODEL, MODEL_CONTEXT_TOKENS } = settings;
  const model = await createModel({
    model: MODEL,
    openaiApiKey: settings.OPENAI_API_KEY,
    openaiBaseUrl: settings.OPENAI_BASE_URL,
  }).catch(wrongSetting("MODEL", MODEL));
  if (model instanceof LocalModel) {
    logger.warn(
      "The small built-in model answers. For a real one, set OPENAI_API_KEY, or OPENAI_BASE_URL and MODEL.",
    );
  }
  const { OPENAI_BASE_URL } = settings;
  if (OPENAI_BASE_URL !== undefined) warnIfUnreachable(OPENAI_BASE_URL, logger);
  const memory = {
    k: settings.MEMORY_EXCHANGES,
    ...(MODEL_CONTEXT_TOKENS !== undefined && { contextTokens: MODEL_CONTEXT_TOKENS }),
  };
  return { bots: [chatBot({ model, memory }), agentBot({ model, memory })] };
};
