/** LangChain alone: `invoke` with a callback handler that takes the tokens. No server. */
import { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import type { StartServer } from "./bench-server.ts";
import { createChain } from "./chain.ts";

export class TokenHandler extends BaseCallbackHandler {
  readonly name = "tokens";
  readonly lc_prefer_streaming = true;
  readonly #onToken: (token: string) => void;

  constructor(onToken: (token: string) => void) {
    super({ _awaitHandler: true });
    this.#onToken = onToken;
  }

  override handleLLMNewToken(token: string): void {
    if (token !== "") this.#onToken(token);
  }
}

export const start: StartServer = async (options) => {
  const chain = await createChain(options);
  return {
    connect: () => ({
      send: async (message, onText) => {
        await chain.invoke({ human_input: message }, { callbacks: [new TokenHandler(onText)] });
      },
      close: () => {},
    }),
  };
};
