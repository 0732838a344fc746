/** A subscription on a scripted link, and cases that are played and compared as whole transcripts. */
import { describe, expect, test } from "vitest";
import { Subscription, type SubscriptionOptions } from "../../client/src/subscription.ts";
import type { ChatEvent } from "../../client/src/types.ts";
import { type LinkOptions, type ScriptedLink, scriptedLink } from "./scripted-link.ts";

const runId = "r";
export const token: ChatEvent = { type: "token", runId, spanId: "s", text: "x" };
export const start = { type: "runStart", runId, message: "hi" } as ChatEvent;
export const end = { type: "runEnd", runId, status: "completed", text: "x" } as ChatEvent;
export const busy = { code: "OVERLOADED", retryable: true } as const;
export const gone = { code: "NOT_FOUND", retryable: false } as const;
export const lost = new Error("lost");

export interface Setting extends ScriptedLink {
  readonly client: Subscription;
}

export function open(link: ScriptedLink, options: Partial<SubscriptionOptions> = {}): Subscription {
  const { say } = link;
  return new Subscription({
    transport: link.transport,
    connection: link.connection,
    input: {},
    subscribe: link.subscribe,
    onStarted: () => say("started"),
    onEvent: (event, id) => say(`tells ${id}${event.type === "runStart" ? " runStart" : ""}`),
    onFailure: ({ code }) => say(`fails ${code}`),
    ...options,
  });
}

export interface Case extends LinkOptions {
  readonly name: string;
  readonly lastEventId?: string;
  readonly play: (setting: Setting) => unknown;
  /** The whole transcript. */
  readonly says: readonly string[];
}

export function playEach(what: string, cases: readonly Case[]): void {
  describe(what, () => {
    test.each(cases)("$name", async ({ play, says, lastEventId, ...options }) => {
      const link = scriptedLink(options);
      const client = open(link, { lastEventId });
      await play(Object.assign(link, { client }));
      expect(link.transcript).toEqual(says);
    });
  });
}
