/**
 * A way to the server without a socket: a test calls its every callback, and moves the clock. What the client
 * asks and tells becomes a transcript, each line with its millisecond.
 */
import { TRPCClientError } from "@trpc/client";
import { vi } from "vitest";
import { Connection } from "../../client/src/connection/connection.ts";
import type { SubscriptionState, Transport } from "../../client/src/connection/transport.ts";
import type { LangwireClientError } from "../../client/src/errors.ts";
import type { SubscriptionOptions } from "../../client/src/subscription.ts";
import type { ChatEvent, Failure } from "../../client/src/types.ts";
import { scriptedTime } from "./scripted-time.ts";

type Subscribe = SubscriptionOptions["subscribe"];
type Refusal = Pick<Failure, "code" | "retryable"> & Partial<Failure>;

/** The server's end of one subscription. */
export interface Asked {
  readonly input: Readonly<Record<string, unknown>>;
  /** The server has received it. */
  received(): void;
  /** Where it begins. */
  begins(id: string): void;
  event(id: number, event: ChatEvent): void;
  fails(cause: unknown): void;
  refuses(refusal: Refusal): void;
  completes(): void;
  /** What tRPC says of a connection of the subscription's own. */
  changes(state: SubscriptionState): void;
}

export interface LinkOptions {
  /** Whether each subscription has a connection of its own, as with server-sent events. */
  readonly own?: boolean;
  readonly asksForTokens?: boolean;
  readonly explain?: () => Promise<LangwireClientError | undefined>;
  /** Called while the client still subscribes. */
  readonly onAsk?: (asked: Asked) => void;
}

export interface ScriptedLink {
  readonly transport: Transport;
  readonly connection: Connection;
  readonly subscribe: Subscribe;
  /** The last subscription. */
  readonly server: Asked;
  /** Every subscription so far. */
  readonly asked: readonly Asked[];
  readonly transcript: readonly string[];
  say(line: string): void;
}

/** Waits are half of their bound: 50 ms, 100, 200 and so on. */
export function scriptedLink(options: LinkOptions = {}): ScriptedLink {
  const { transcript, say } = scriptedTime();
  const asked: Asked[] = [];
  const ask = (input: Asked["input"], callbacks: Parameters<Subscribe>[1]) => {
    const one = askedBy(input, callbacks);
    asked.push(one);
    say(`asks behind ${input.lastEventId ?? "nothing"}`);
    options.onAsk?.(one);
    return { unsubscribe: () => say("leaves") };
  };
  const { own = false, asksForTokens, explain } = options;
  const procedure = { subscribe: ask };
  const transport: Transport = {
    trpc: { chat: { send: procedure, follow: procedure, watch: procedure } } as never,
    close: async () => {},
    acceptsOnStart: !own,
    ...(asksForTokens !== undefined && { asksForTokens }),
    ...(explain && { explain }),
    ...(own && {
      subscriptionState: (_subscription, change) => {
        const error = change?.error as LangwireClientError | null | undefined;
        say(`is ${change === undefined ? "gone" : [change.state, error?.code].join(" ").trim()}`);
      },
    }),
  };
  return {
    transport,
    connection: new Connection({ baseMs: 100, maxMs: 1_000 }),
    subscribe: (lastEventId, callbacks) => ask({ lastEventId }, callbacks),
    asked,
    transcript,
    say,
    get server() {
      const last = asked.at(-1);
      if (last === undefined) throw new Error("nothing was asked");
      return last;
    },
  };
}

function askedBy(input: Asked["input"], callbacks: Parameters<Subscribe>[1]): Asked {
  return {
    input,
    received: () => callbacks.onStarted(),
    begins: (id) => callbacks.onData({ id, data: { type: "started" } }),
    event: (id, event) => callbacks.onData({ id: String(id), data: event }),
    fails: (cause) => callbacks.onError(cause),
    refuses: (refusal) => callbacks.onError(refusalOf(refusal)),
    completes: () => callbacks.onComplete(),
    changes: (state) => callbacks.onConnectionStateChange(state),
  };
}

/** A refusal as tRPC's client gives it. */
export function refusalOf({ message = "No.", ...langwire }: Refusal): TRPCClientError<never> {
  return TRPCClientError.from({ error: { message, code: -32_000, data: { langwire } } } as never);
}

/** Moves the clock, and lets everything happen that is due by then. */
export const wait = (ms: number) => vi.advanceTimersByTimeAsync(ms);

/** What a run or a watch is made with. */
export const parts = ({ transport, connection }: ScriptedLink) => ({ transport, connection });

/** What has become of a promise: its value, its error, or that it waits. */
export async function now(promise: Promise<unknown>): Promise<unknown> {
  let became: unknown = "waits";
  const keep = (outcome: unknown) => {
    became = outcome;
  };
  promise.then(keep, keep);
  await wait(0);
  return became;
}
