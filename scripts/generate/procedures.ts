/** The router's procedures: their kind, and the schemas of what goes in and what comes out. */
import type { inferRouterOutputs } from "@trpc/server";
import { z } from "zod";
import type { ChatRouter } from "../../src/api/router.ts";
import {
  botInfo,
  conversation,
  conversationPage,
  messagePage,
} from "../../src/protocol/conversations.ts";
import { chatEvent, runStatus } from "../../src/protocol/events.ts";
import { conversationInput } from "../../src/protocol/inputs.ts";
import { router } from "./router-entry.ts";

export interface Procedure {
  /** As it is called on the wire, such as `chat.send`. */
  readonly path: string;
  readonly kind: "query" | "mutation" | "subscription";
  readonly summary: string;
  /** Undefined where it takes nothing. */
  readonly input: z.ZodType | undefined;
  /** Of a subscription: one event. */
  readonly output: z.ZodType;
}

export const botList = z.array(botInfo);
export const cancelled = z.object({ runId: z.uuid(), status: runStatus });

/** What one answer of a procedure is: a subscription's is the event without its number. */
type Answer<Output> = Output extends AsyncIterable<{ data: infer Event }> ? Event : Output;

type Outputs = inferRouterOutputs<ChatRouter>;

/** A procedure that is missing here, or has another output, fails the type check. */
const documented = {
  chat: {
    send: {
      summary: "Starts a run, unless it was started before, and follows it: its events to the end.",
      output: chatEvent,
    },
    follow: {
      summary: "Follows a run that was sent before, and starts none: its events to the end.",
      output: chatEvent,
    },
    watch: {
      summary: "Every event of every run of a conversation, for ever.",
      output: chatEvent,
    },
    cancel: { summary: "Stops a run, and answers once it has ended.", output: cancelled },
  },
  conversations: {
    create: { summary: "Creates a conversation before its first message.", output: conversation },
    list: { summary: "The caller's conversations, latest first.", output: conversationPage },
    get: { summary: "One conversation.", output: conversation },
    rename: { summary: "Gives a conversation another title.", output: conversation },
    share: { summary: "Lets whoever knows the id join.", output: conversation },
    unshare: { summary: "Puts everybody but the owner out, at once.", output: conversation },
    join: { summary: "Makes the caller a member of a shared conversation.", output: conversation },
    leave: { summary: "Ends the caller's membership.", output: conversationInput },
    delete: {
      summary: "Stops the run in progress, ends every watch, and forgets the messages.",
      output: conversationInput,
    },
    messages: { summary: "A conversation's messages, page by page.", output: messagePage },
  },
  bots: { list: { summary: "The bots that can be talked to.", output: botList } },
} satisfies {
  [Group in keyof Outputs]: {
    [Name in keyof Outputs[Group]]: {
      summary: string;
      output: z.ZodType<Answer<Outputs[Group][Name]>>;
    };
  };
};

export function listProcedures(): Procedure[] {
  const groups: Record<string, Record<string, { summary: string; output: z.ZodType }>> = documented;
  // The type nests them as the router does; the record itself is flat.
  const procedures = router._def.procedures as unknown as Record<
    string,
    { _def: { type: Procedure["kind"]; inputs: z.ZodType[] } }
  >;
  return Object.entries(procedures).map(([path, { _def }]) => {
    const [group = "", name = ""] = path.split(".");
    const documentation = groups[group]?.[name];
    if (documentation === undefined) throw new Error(`${path} is not documented`);
    return { path, kind: _def.type, input: _def.inputs[0], ...documentation };
  });
}
