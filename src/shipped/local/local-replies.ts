/** What the local model replies: a rule for each kind of request, the first that fits. */
import type { BaseMessage } from "@langchain/core/messages";
import { cutText } from "../../bots/run/payload.ts";
import { calculate, formatNumber } from "../tools/calculator.ts";
import { ownDocuments } from "../tools/own-documents.ts";
import { verseAbout } from "./local-verse.ts";

export interface LocalReply {
  readonly text: string;
  readonly toolCalls: readonly { readonly name: string; readonly args: Record<string, string> }[];
}

type Language = "en" | "ja";

const notice: Record<Language, string> = {
  en: "This is Langwire's built-in local model, not a large language model. To switch to a real one, set OPENAI_API_KEY or OPENAI_BASE_URL, and MODEL.",
  ja: "これは Langwire に組み込まれたローカルモデルの応答で、大規模言語モデルではありません。本物のモデルに切り替えるには、OPENAI_API_KEY または OPENAI_BASE_URL と、MODEL を設定してください。",
};

const quotedCharacters = 700;
const queryCharacters = 200;

export function localReply(
  messages: readonly BaseMessage[],
  toolNames: readonly string[],
): LocalReply {
  const asked = messages.findLast(({ type }) => type === "human");
  const request = asked?.text ?? "";
  const language: Language = /[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/u.test(request)
    ? "ja"
    : "en";
  const results = asked === undefined ? [] : messages.slice(messages.indexOf(asked) + 1);
  const toolResults = results.filter(({ type }) => type === "tool");
  if (toolResults.length > 0) return say(language, reported(language, toolResults));
  const call = toolCallFor(request, toolNames);
  if (call !== undefined) return { text: "", toolCalls: [call] };
  const earlier = messages.filter((message) => message.type === "human" && message !== asked);
  return say(language, answer(language, request, earlier));
}

function say(language: Language, text: string): LocalReply {
  return { text: `${notice[language]}\n\n${text}`, toolCalls: [] };
}

function toolCallFor(
  request: string,
  toolNames: readonly string[],
): LocalReply["toolCalls"][number] | undefined {
  const expression = expressionIn(request);
  if (expression !== undefined && toolNames.includes("calculator")) {
    return { name: "calculator", args: { expression } };
  }
  if (asksTime(request) && toolNames.includes("time")) {
    return { name: "time", args: { timeZone: timeZoneIn(request) } };
  }
  const isOther = verseAbout(request) !== undefined || isGreeting(request) || asksEarlier(request);
  if (isOther || expression !== undefined || !toolNames.includes("search")) return undefined;
  return { name: "search", args: { query: request.slice(0, queryCharacters) } };
}

function reported(language: Language, results: readonly BaseMessage[]): string {
  const found = results
    .map(({ name, text }) => `${name ?? "tool"}: ${cutText(text, quotedCharacters)}`)
    .join("\n\n");
  return language === "ja" ? `ツールの結果です。\n\n${found}` : `The tools say:\n\n${found}`;
}

function answer(language: Language, request: string, earlier: readonly BaseMessage[]): string {
  const ja = language === "ja";
  const verse = verseAbout(request);
  if (verse !== undefined) return verse;
  const expression = expressionIn(request);
  if (expression !== undefined) return `${expression} = ${formatNumber(calculate(expression))}`;
  if (asksTime(request)) return timeIn(timeZoneIn(request), language);
  if (asksEarlier(request)) {
    const last = earlier.at(-1)?.text;
    if (last !== undefined) return ja ? `「${last}」とおっしゃいました。` : `You said: "${last}"`;
    return ja ? "これが最初のメッセージです。" : "This is your first message.";
  }
  if (isGreeting(request)) {
    return ja
      ? "こんにちは。Langwire のこと、計算、時刻についてお尋ねください。歌詞も書けます。"
      : "Hello! Ask me about Langwire, arithmetic or the time, or for a song about something.";
  }
  return fromDocuments(request, ja);
}

function fromDocuments(request: string, ja: boolean): string {
  const [best] = ownDocuments().search(request, 1);
  if (best === undefined) {
    return ja
      ? "手元の文書には、それについて何もありませんでした。Langwire のこと、計算、時刻についてお尋ねください。歌詞も書けます。"
      : "My documents say nothing about that. Ask me about Langwire, arithmetic or the time, or for a song about something.";
  }
  const text = cutText(best.text, quotedCharacters);
  const { heading, source } = best;
  return ja
    ? `手元の文書の「${heading}」(${source})にはこうあります。\n\n${text}`
    : `My documents say, under "${heading}" (${source}):\n\n${text}`;
}

/**
 * The first piece of the request that is arithmetic, and not a date or a lone number. Each step reads the
 * text once: a message may be long and made to be slow.
 */
function expressionIn(request: string): string | undefined {
  const plain = request.normalize("NFKC").replaceAll("×", "*").replaceAll("÷", "/");
  for (const [run] of plain.matchAll(/(?:sqrt|abs|[\d\s+\-*/^%().,])+/gi)) {
    const candidate = expressionWithin(run);
    const hasOperator = /[\d)]\s*[+\-*/^%]|sqrt|abs/i.test(candidate);
    if (!hasOperator || /\d{4}-\d{2}/.test(candidate)) continue;
    try {
      calculate(candidate);
      return candidate;
    } catch {
      // Not arithmetic after all: the next candidate may be.
    }
  }
  return undefined;
}

/** What is left of signs without what cannot begin or end an expression. */
function expressionWithin(run: string): string {
  const start = run.search(/sqrt|abs|[\d(.-]/i);
  let end = run.length;
  while (end > start && !/[\d)]/.test(run.charAt(end - 1))) end -= 1;
  return start === -1 ? "" : run.slice(start, end);
}

const isGreeting = (request: string): boolean =>
  /^\s*(hi|hello|hey|good (morning|evening|afternoon)|こんにちは|こんばんは|おはよう|やあ)[\s!.,。!、]*$/i.test(
    request.normalize("NFKC"),
  );

const asksEarlier = (request: string): boolean =>
  /what did i (just )?(say|ask|write)|my (last|previous) message/i.test(request) ||
  request.split("\n").some(asksEarlierInJapanese);

function asksEarlierInJapanese(line: string): boolean {
  const at = line.indexOf("さっき");
  return at !== -1 && /[言聞書]/.test(line.slice(at));
}

const asksTime = (request: string): boolean =>
  /\bwhat('s| is)? (the )?(current )?(time|date|day)\b|\btime is it\b|\bcurrent time\b|\btoday's date\b|何時|時刻|今日の日付|何日|何曜日/i.test(
    request,
  );

const timeZones: readonly (readonly [RegExp, string])[] = [
  [/tokyo|japan|東京|日本/i, "Asia/Tokyo"],
  [/london|ロンドン/i, "Europe/London"],
  [/berlin|germany|ベルリン/i, "Europe/Berlin"],
  [/paris|パリ/i, "Europe/Paris"],
  [/new york|ニューヨーク/i, "America/New_York"],
  [/los angeles|san francisco|california/i, "America/Los_Angeles"],
];

function timeZoneIn(request: string): string {
  const named = /\b[A-Z][A-Za-z]+\/[A-Z][A-Za-z_]+\b/.exec(request)?.[0];
  return named ?? timeZones.find(([place]) => place.test(request))?.[1] ?? "UTC";
}

function timeIn(timeZone: string, language: Language): string {
  const format: Intl.DateTimeFormatOptions = { timeZone, dateStyle: "full", timeStyle: "short" };
  try {
    return `${new Intl.DateTimeFormat(language, format).format(new Date())} (${timeZone})`;
  } catch {
    return language === "ja"
      ? `「${timeZone}」という時間帯はありません。`
      : `There is no time zone "${timeZone}".`;
  }
}
