/** LangChain alone: `chain.stream()`. No server. */
import type { StartServer } from "./bench-server.ts";
import { createChain } from "./chain.ts";

export const start: StartServer = async (options) => {
  const chain = await createChain(options);
  return {
    connect: () => ({
      send: async (message, onText) => {
        for await (const piece of await chain.stream({ human_input: message })) onText(piece);
      },
      close: () => {},
    }),
  };
};
