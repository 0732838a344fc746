/**
 * What a bot remembers of a conversation: its last `k` exchanges, fewer where the model's context
 * would not hold them. An exchange is dropped whole, oldest first, so that no answer stands there
 * without its question, and no tool's result without its call.
 */
import { AIMessage, type BaseMessage, HumanMessage, isAIMessage } from "@langchain/core/messages";
import type { BotTurn, HistoryMessage, Memory } from "./bot.ts";
import { readExchange } from "./exchange/stored-exchange.ts";

/** The share of the context that is reserved for the answer, up to a number of tokens. */
const answerShare = 0.25;
const answerTokensAtMost = 4_096;
/** Tokens that providers add around each message. */
const tokensPerMessage = 4;

/** A message of the history as it is stored. */
export interface PastMessage extends HistoryMessage {
  /** On a bot's: what its models and tools said before the answer (exchange/stored-exchange.ts). */
  readonly modelMessages?: string | undefined;
}

/** @param turn with all that may be remembered */
export function recall(
  memory: Required<Memory> | false,
  turn: { readonly message: string; readonly history: readonly PastMessage[] },
): BotTurn {
  const { message } = turn;
  if (memory === false || memory.k === 0) return { message, history: [], messages: [] };
  const { contextTokens, k } = memory;
  const forAnswer = Math.min(answerTokensAtMost, Math.floor(contextTokens * answerShare));
  const room = contextTokens - forAnswer - estimateTokens(message) - tokensPerMessage;
  const exchanges = exchangesOf(turn.history).slice(-k);
  const texts = exchanges.map((exchange) => [textsOf(exchange)]);
  return {
    message,
    history: fitting(texts, { room, tokensOf: ({ text }) => estimateTokens(text) }),
    messages: fitting(exchanges.map(messagesOf), { room, tokensOf: tokensOfMessage }),
  };
}

/**
 * About how many tokens a text is: a token for four ASCII characters, and one for each other
 * character. It errs on the high side, which here costs an old exchange and never a failed call.
 */
export function estimateTokens(text: string): number {
  let ascii = 0;
  let other = 0;
  for (let at = 0; at < text.length; at++) {
    if (text.charCodeAt(at) < 128) ascii += 1;
    else other += 1;
  }
  return Math.ceil(ascii / 4) + other;
}

function tokensOfMessage(message: BaseMessage): number {
  const calls = isAIMessage(message) ? (message.tool_calls ?? []) : [];
  const asked = calls.map(({ name, args }) => estimateTokens(name + JSON.stringify(args)));
  return asked.reduce((sum, tokens) => sum + tokens, estimateTokens(message.text));
}

/** The newest exchanges that fit, each in the first of its ways that does. */
function fitting<T>(
  exchanges: readonly (readonly T[])[][],
  { room, tokensOf }: { readonly room: number; readonly tokensOf: (message: T) => number },
): T[] {
  let left = room;
  const kept: T[] = [];
  for (const ways of exchanges.toReversed()) {
    const costs = ways.map((way) =>
      way.reduce((sum, message) => sum + tokensOf(message) + tokensPerMessage, 0),
    );
    const first = costs.findIndex((cost) => cost <= left);
    if (first < 0) break;
    left -= costs[first] ?? 0;
    kept.unshift(...(ways[first] ?? []));
  }
  return kept;
}

function exchangesOf(history: readonly PastMessage[]): PastMessage[][] {
  const exchanges: PastMessage[][] = [];
  for (const message of history) {
    const current = exchanges.at(-1);
    if (message.role === "human" || current === undefined) exchanges.push([message]);
    else current.push(message);
  }
  return exchanges;
}

/** None of one that was stopped before its bot had said a word: a provider takes no empty answer. */
function textsOf(exchange: readonly PastMessage[]): HistoryMessage[] {
  if (exchange.some(({ role, text }) => role === "ai" && text === "")) return [];
  return exchange.map(({ role, text }) => ({ role, text }));
}

/**
 * An exchange with what its tools were asked and gave; where that does not fit, its texts alone. None of
 * one in which no model and no tool said anything: some providers refuse two questions in a row.
 */
function messagesOf(exchange: readonly PastMessage[]): BaseMessage[][] {
  const texts = textsOf(exchange).map(toMessage);
  const whole = exchange.flatMap((message) => {
    const before = readExchange(message.modelMessages ?? "[]") ?? [];
    if (before.length === 0) return message.text === "" ? [] : [toMessage(message)];
    // What a model said beside a call may be the answer: of a run that was stopped, say.
    const isSaid = message.text === "" || before.findLast(isAIMessage)?.text === message.text;
    return [...before, isSaid ? new AIMessage(noAnswer) : toMessage(message)];
  });
  const isUnanswered = exchange.length > 1 && whole.length === 1;
  return [isUnanswered ? texts : whole, texts];
}

/** Not every provider takes a question right behind a tool's result. */
const noAnswer = "[No further answer was given.]";

export function toMessage({ role, text }: HistoryMessage): BaseMessage {
  return role === "human" ? new HumanMessage(text) : new AIMessage(text);
}
