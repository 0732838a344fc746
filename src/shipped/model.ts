/** Makes the model that the shipped bots share, from one setting: `provider:name`. */
import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import { initChatModel, MODEL_PROVIDER_CONFIG } from "langchain/chat_models/universal";
import { EventCompletions } from "../bots/provider/event-completions.ts";
import { createRetryingFetch } from "../bots/provider/retrying-fetch.ts";
import { createEventFetch } from "../event-fetch/event-fetch.ts";
import { LocalModel } from "./local/local-model.ts";

export interface ModelSettings {
  /** `provider:name`, for example `openai:gpt-4.1-mini`. `local:` is the built-in model. */
  readonly model: string;
  /** Default: OPENAI_API_KEY of the environment, as OpenAI's own client has it. */
  readonly openaiApiKey?: string | undefined;
  /**
   * Ends in `/v1`. Reaches whatever speaks OpenAI's protocol: Ollama, vLLM, llama-server. Default:
   * OPENAI_BASE_URL of the environment.
   */
  readonly openaiBaseUrl?: string | undefined;
  /** Default 0. Models that reason decide about it themselves. */
  readonly temperature?: number | undefined;
  /** Retries before the first token. Default 3. */
  readonly maxRetries?: number | undefined;
  /** Wait before the first retry, doubled for each later one. Default 500. */
  readonly retryDelayMs?: number | undefined;
  /** How long OpenAI, or what speaks its protocol, may take to begin its answer. */
  readonly firstByteTimeoutMs?: number | undefined;
  /** How long it may pause within its answer. */
  readonly stallTimeoutMs?: number | undefined;
}

/**
 * With neither a key nor an address for OpenAI's, the small built-in model.
 * @throws Error that says what to do: the provider is not known, its package is not installed.
 */
export async function createModel(given: ModelSettings): Promise<BaseChatModel> {
  const { OPENAI_API_KEY, OPENAI_BASE_URL } = process.env;
  const settings = {
    ...given,
    openaiApiKey: given.openaiApiKey ?? (OPENAI_API_KEY || undefined),
    openaiBaseUrl: given.openaiBaseUrl ?? (OPENAI_BASE_URL || undefined),
  };
  const { provider, name } = parseModel(settings.model);
  if (provider === "local") return new LocalModel();
  if (provider === "openai") {
    const { openaiApiKey, openaiBaseUrl } = settings;
    if (openaiApiKey === undefined && openaiBaseUrl === undefined) return new LocalModel();
  }
  const temperature = isReasoningModel(name) ? {} : { temperature: settings.temperature ?? 0 };
  const fields =
    provider === "openai"
      ? openaiFields({ model: name, ...temperature }, settings)
      : { ...temperature, maxRetries: settings.maxRetries ?? 3 };
  const wrapper = await loaded(settings, provider, () =>
    initChatModel(name, { modelProvider: provider, ...fields }),
  );
  // The wrapper keeps a model for every distinct configuration that it is invoked with, and the
  // callbacks of a run make each distinct: it would grow with every run. The model itself does not.
  return wrapper._getModelInstance();
}

type Provider = keyof typeof MODEL_PROVIDER_CONFIG | "local";

const isProvider = (name: string): name is Provider =>
  name === "local" || Object.hasOwn(MODEL_PROVIDER_CONFIG, name);

function parseModel(model: string): { provider: Provider; name: string } {
  const [provider = "", ...rest] = model.split(":");
  if (isProvider(provider)) {
    const name = rest.join(":");
    if (name !== "" || provider === "local") return { provider, name };
  }
  const known = ["local", ...Object.keys(MODEL_PROVIDER_CONFIG)].join(", ");
  throw new Error(
    `The model "${model}" is not of the form provider:name. The providers are ${known}.`,
  );
}

async function loaded<T>(
  { model }: ModelSettings,
  provider: Exclude<Provider, "local">,
  load: () => Promise<T>,
): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    if (!(cause instanceof Error && cause.message.includes("npm install"))) throw cause;
    const { package: name } = MODEL_PROVIDER_CONFIG[provider];
    throw new Error(`The model "${model}" needs a package: npm install ${name}`, { cause });
  }
}

function openaiFields(
  base: { readonly model: string; readonly temperature?: number },
  settings: ModelSettings,
): Record<string, unknown> {
  const { firstByteTimeoutMs, stallTimeoutMs } = settings;
  const fetch = createRetryingFetch({
    fetch: createEventFetch({
      ...(firstByteTimeoutMs !== undefined && { firstByteTimeoutMs }),
      ...(stallTimeoutMs !== undefined && { stallTimeoutMs }),
    }),
    maxRetries: settings.maxRetries,
    firstDelayMs: settings.retryDelayMs,
  });
  const fields = {
    ...base,
    // Self-hosted servers take any key, but the client insists on one.
    apiKey: settings.openaiApiKey ?? "none",
    configuration: {
      fetch,
      // It would write what it cannot read to the console: answers, and prompts that they quote.
      logLevel: "off" as const,
      ...(settings.openaiBaseUrl && { baseURL: settings.openaiBaseUrl }),
    },
    // The fetch retries, where every request is seen and counted; twice would be sixteen attempts.
    maxRetries: 0,
  };
  return { ...fields, completions: new EventCompletions(fields) };
}

/** Reasoning models, which refuse a temperature. */
function isReasoningModel(name: string): boolean {
  return /^(o\d|gpt-[5-9](?!.*chat))/.test(name);
}
