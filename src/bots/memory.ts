/**
 * What a bot remembers of a conversation: its last `k` exchanges, fewer where the model's context
 * would not hold them. An exchange is dropped whole, oldest first, so that no answer stands there
 * without its question.
 */
import type { BotTurn, HistoryMessage, Memory } from "./bot.ts";

/** The share of the context that is reserved for the answer, up to a number of tokens. */
const answerShare = 0.25;
const answerTokensAtMost = 4_096;
/** Tokens that providers add around each message. */
const tokensPerMessage = 4;

export function recall(memory: Required<Memory> | false, turn: BotTurn): HistoryMessage[] {
  if (memory === false || memory.k === 0) return [];
  const { contextTokens } = memory;
  const forAnswer = Math.min(answerTokensAtMost, Math.floor(contextTokens * answerShare));
  let room = contextTokens - forAnswer - estimateTokens(turn.message) - tokensPerMessage;
  const recalled: HistoryMessage[][] = [];
  for (const exchange of exchangesOf(turn.history).slice(-memory.k).reverse()) {
    room -= exchange.reduce((sum, { text }) => sum + estimateTokens(text) + tokensPerMessage, 0);
    if (room < 0) break;
    recalled.unshift(exchange);
  }
  return recalled.flat();
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

function exchangesOf(history: readonly HistoryMessage[]): HistoryMessage[][] {
  const exchanges: HistoryMessage[][] = [];
  for (const message of history) {
    const current = exchanges.at(-1);
    if (message.role === "human" || current === undefined) exchanges.push([message]);
    else current.push(message);
  }
  return exchanges;
}
