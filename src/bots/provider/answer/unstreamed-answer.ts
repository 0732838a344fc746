/**
 * Normalises a provider's answer that was asked for without `stream`: its text is text, its tool calls are what LangChain
 * reads, its usage has a total. Where a server streams it instead, the stream is put together.
 */
import type { OpenAIClient } from "@langchain/openai";
import { saysBroken } from "../../run/model/finish-reasons.ts";
import { isObject, type JsonObject, parsed } from "../unknown-json.ts";
import { BrokenAnswer, excerpt } from "./broken-answer.ts";
import { ChunkStream, type StreamOptions } from "./chunk-stream.ts";
import type { Chunk } from "./chunk-text.ts";
import { errorIn, toApiError } from "./errors-in-answers.ts";
import { choiceFinishReason, isCut } from "./finish-reasons.ts";
import { contentFields, contentOf, saidBy } from "./normalized-content.ts";
import { usageOf } from "./normalized-usage.ts";
import { ToolCallDeltas } from "./tool-call-deltas.ts";

export type Completion = OpenAIClient.Chat.Completions.ChatCompletion;

/** @throws BrokenAnswer, or the error that the provider reports in its answer */
export async function readUnstreamed(
  response: Response,
  options: StreamOptions = {},
): Promise<Completion> {
  const text = await response.text();
  const value = parsed(text);
  if (value === undefined)
    return joined(new Response(text, { headers: response.headers }), options);
  const error = errorIn(value);
  if (error !== undefined) throw toApiError(error, response.headers);
  const answer: unknown = Array.isArray(value) ? value[0] : value;
  const choices = isObject(answer) && Array.isArray(answer.choices) ? answer.choices : [];
  if (!isObject(answer) || choices.length === 0) {
    throw new BrokenAnswer("The provider's answer is none: it has no choices.", { said: text });
  }
  return toCompletion({
    ...answer,
    choices: choices.filter(isObject).map((choice) => normalizedChoice(choice, options)),
    ...usageField(answer),
  });
}

function normalizedChoice(choice: JsonObject, options: StreamOptions): JsonObject {
  const { message, delta, text } = choice;
  const said = saidBy(message) ?? saidBy(delta) ?? saidBy(text) ?? { content: "" };
  const given = choiceFinishReason(choice);
  if (given !== undefined && saysBroken(given)) {
    throw new BrokenAnswer(`The provider ended its answer with "${excerpt(given)}".`);
  }
  const calls = toolCalls(said, given ?? "", options);
  return {
    ...choice,
    message: normalizedMessage(said, calls),
    finish_reason: given ?? (calls.length > 0 ? "tool_calls" : "stop"),
  };
}

function normalizedMessage(said: JsonObject, calls: readonly JsonObject[]): JsonObject {
  const { text, reasoning, images, others } = contentOf(said);
  if (others[0] !== undefined) {
    throw new BrokenAnswer(`The answer holds ${others[0]}, which LangChain cannot hand on.`);
  }
  const kept = Object.entries(said).filter(([key]) => !contentFields.has(key));
  const { function_call: legacy, ...rest } = Object.fromEntries(kept);
  return {
    ...rest,
    ...(calls.length === 0 && legacy !== undefined && { function_call: legacy }),
    role: "assistant",
    content: text,
    ...(reasoning !== "" && { reasoning_content: reasoning }),
    ...(images.length > 0 && { images }),
    ...(calls.length > 0 && { tool_calls: calls }),
  };
}

function toolCalls(said: JsonObject, reason: string, options: StreamOptions): JsonObject[] {
  const { tool_calls: given, function_call: legacy } = said;
  const reader = new ToolCallDeltas();
  const isLegacy = isObject(legacy) && options.keepsFunctionCalls !== true;
  const list = Array.isArray(given) ? given.filter(isObject) : isObject(given) ? [given] : [];
  reader.read(list.length > 0 ? list : isLegacy ? [legacy] : []);
  return reader.whole(isCut(reason)).map(({ id, name, args }) => ({
    id,
    type: "function",
    function: { name, arguments: args },
  }));
}

/** Puts a stream together to what the same server would have sent whole. */
async function joined(response: Response, options: StreamOptions): Promise<Completion> {
  const chunks: Chunk[] = [];
  for await (const chunk of new ChunkStream(response, options)) chunks.push(chunk);
  const deltas = chunks.flatMap(({ choices }) =>
    choices.map(({ delta }): JsonObject => ({ ...delta })),
  );
  const textOf = (key: string): string =>
    deltas.map((delta) => (typeof delta[key] === "string" ? delta[key] : "")).join("");
  const finish = chunks.findLast(({ choices }) => choices[0]?.finish_reason);
  const message = {
    role: "assistant",
    content: textOf("content"),
    reasoning_content: textOf("reasoning_content"),
    tool_calls: deltas.flatMap((delta) =>
      Array.isArray(delta.tool_calls) ? delta.tool_calls : [],
    ),
  };
  const { choices: _, usage: __, ...head } = finish ?? {};
  const choice = { index: 0, message, finish_reason: finish?.choices[0]?.finish_reason };
  const usage = chunks.findLast((chunk) => chunk.usage)?.usage;
  return toCompletion({
    ...head,
    object: "chat.completion",
    choices: [normalizedChoice(choice, options)],
    ...(usage && { usage }),
  });
}

function usageField(answer: JsonObject): JsonObject {
  const usage = usageOf(answer);
  return usage === undefined ? {} : { usage };
}

/** The one place where what was normalized gets the type that says so. */
function toCompletion(answer: JsonObject): Completion {
  return answer as unknown as Completion;
}
