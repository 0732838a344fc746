/** A cell's stage: the mock provider, the package's model, and a conversation with a bot made of them. */
import { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import type { Runnable } from "@langchain/core/runnables";
import { tool } from "@langchain/core/tools";
import { createAgent } from "langchain";
import { expect } from "vitest";
import { z } from "zod";
import type { Expose } from "../../../src/bots/bot.ts";
import { Conversation } from "../conversation.ts";
import { type MockProvider, startMockProvider } from "../mocks/mock-provider.ts";
import type { Row } from "./rows.ts";

export interface Setting extends AsyncDisposable {
  readonly row: Row;
  readonly provider: MockProvider;
  readonly model: BaseChatModel;
  /** A conversation with this runnable. Without one: with the model itself. */
  talk(runnable?: Pick<Runnable, "invoke">, expose?: Expose): Promise<Conversation>;
  /** A conversation with an agent of this model, which has the tool `look_up`. */
  talkToAgent(options?: AgentOptions): Promise<Conversation>;
}

interface AgentOptions {
  /** What its tool does. */
  readonly lookUp?: (key: string, signal: AbortSignal | undefined) => Promise<string>;
  readonly callbacks?: BaseCallbackHandler[];
  /** Default: `none`. */
  readonly expose?: Expose;
}

export async function setUp(row: Row): Promise<Setting> {
  const stack = new AsyncDisposableStack();
  const provider = stack.use(await startMockProvider(row.protocol));
  const model = await row.model(provider.url);
  const talk: Setting["talk"] = async (runnable = model, expose = "none") => {
    return stack.use(await Conversation.with(runnable, { expose }));
  };
  return {
    row,
    provider,
    model,
    talk,
    talkToAgent: ({
      lookUp = async (key: string) => `row ${key}`,
      callbacks = [],
      expose,
    } = {}) => {
      const tools = [
        tool(({ key }, { signal }) => lookUp(key, signal), {
          name: "look_up",
          description: "Looks a key up",
          schema: z.object({ key: z.string() }),
        }),
      ];
      return talk(createAgent({ model, tools }).withConfig({ callbacks }), expose);
    },
    async [Symbol.asyncDispose]() {
      await stack.disposeAsync();
      expect(provider.violations, "what the provider's API would have refused").toEqual([]);
    },
  };
}

/** A handler of LangChain's, and what settles when the models have told it of so many chunks. */
export function chunkCounter(count: number): {
  readonly handler: BaseCallbackHandler;
  readonly reached: Promise<void>;
} {
  const { promise, resolve } = Promise.withResolvers<void>();
  let chunks = 0;
  const handler = BaseCallbackHandler.fromMethods({
    handleLLMNewToken() {
      chunks += 1;
      if (chunks >= count) resolve();
    },
  });
  return { handler, reached: promise };
}
