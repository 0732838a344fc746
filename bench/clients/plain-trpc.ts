import type { Connect } from "./client.ts";
import { openTrpc } from "./trpc.ts";

interface StreamEvent {
  readonly event: string;
  readonly data: { readonly chunk: { readonly kwargs: { readonly content: string } } };
}

export const connect: Connect = async (url, options) => {
  const { socket, subscribe } = await openTrpc(url, options);
  return {
    send: (message, onText) =>
      subscribe("chat", { message }, ({ event, data }: StreamEvent) => {
        if (event === "on_chat_model_stream") onText(data.chunk.kwargs.content);
        return undefined;
      }),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    close: () => socket.close(),
  };
};
