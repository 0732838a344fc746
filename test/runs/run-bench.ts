/** Runs without a network: a bot that does what the test says, a follower's events in a list. */
import { randomUUID } from "node:crypto";
import { RunnableLambda } from "@langchain/core/runnables";
import { type Bot, type BotDefinition, defineBot } from "../../src/bots/bot.ts";
import type { LogEntry } from "../../src/log/entry.ts";
import type { SendInput } from "../../src/protocol/inputs.ts";
import type { Follower } from "../../src/runs/following/follower.ts";
import { type ScriptedReply, scriptedModel } from "../../src/testing/index.ts";

export const caller = { userId: "ann" };

type MessageInput = Omit<SendInput, "message" | "input"> & { readonly message: string };

export function newRun(input: Partial<MessageInput> = {}): MessageInput {
  return {
    runId: randomUUID(),
    conversationId: randomUUID(),
    botId: "test",
    message: "hello",
    ifBusy: "reject",
    ...input,
  };
}

export function botOf(runnable: BotDefinition["runnable"], id = "test"): Bot {
  return defineBot({ id, title: id, description: "", runnable });
}

export function botDoing(work: (signal: AbortSignal | undefined) => unknown): Bot {
  return botOf(RunnableLambda.from((_input: unknown, config) => work(config.signal)));
}

export function botSaying(...replies: ScriptedReply[]): Bot {
  return botOf(scriptedModel(replies));
}

/** Says one token and then waits for its end. */
export function botWaiting(until: Promise<unknown>): Bot {
  return botSaying({ tokens: ["a"], until });
}

export async function all(follower: Follower): Promise<LogEntry[]> {
  const entries: LogEntry[] = [];
  for await (const entry of follower) entries.push(entry);
  return entries;
}

/** Everything up to the first entry of the type. */
export async function upTo(follower: Follower, type: LogEntry["type"]): Promise<LogEntry[]> {
  const entries: LogEntry[] = [];
  for (;;) {
    const { done, value } = await follower.next();
    if (done === true) throw new Error(`the run ended before ${type}`);
    entries.push(value);
    if (value.type === type) return entries;
  }
}

export function types(entries: readonly LogEntry[]): string[] {
  return entries.map(({ type }) => type);
}
