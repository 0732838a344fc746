/** LangChain alone: `streamEvents`, version 2. No server. */
import type { StartServer } from "./bench-server.ts";
import { createChain } from "./chain.ts";

export const start: StartServer = async (options) => {
  const chain = await createChain(options);
  return {
    connect: () => ({
      send: async (message, onText) => {
        for await (const event of chain.streamEvents({ human_input: message }, { version: "v2" })) {
          if (event.event === "on_chat_model_stream") onText(event.data.chunk.content);
        }
      },
      close: () => {},
    }),
  };
};
