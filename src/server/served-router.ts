/** The router as it is served: what it is called with, how it is written, and what errors say in development. */
import type { CallContext } from "../api/context.ts";
import { type ChatRouter, createChatRouter } from "../api/router.ts";
import type { Langwire } from "../open/open-langwire.ts";
import { FailureDetails } from "../runs/failure-details.ts";
import { wireTransformer } from "./connections/frames/outgoing-frames.ts";

/** @param dev as `ServerOptions.dev` */
export function servedRouter(
  langwire: Langwire,
  { dev = false }: { readonly dev?: boolean },
): ChatRouter {
  return createChatRouter({
    ...langwire,
    failureDetails: dev ? FailureDetails.of(langwire) : undefined,
    connection: (context: CallContext) => context,
    transformer: wireTransformer,
  });
}
