/**
 * What models and tools said to each other in one run, for the bot's next turns: the messages with tool
 * calls and the results, in order, up to the last result. The question and the answer are not among them.
 *
 * Of a graph or an agent that has returned, its state is what was said. Of a run that was stopped or
 * failed, or a bot without such a state, it is what the callbacks told, whole: a call without a result
 * gets one that says so. What happens inside of a tool is that tool's.
 */
import {
  type AIMessage,
  type BaseMessage,
  isAIMessage,
  isHumanMessage,
  isToolMessage,
  ToolMessage,
} from "@langchain/core/messages";
import { lastMessages } from "../run/bot-output.ts";
import type { ModelResult } from "../run/model/model-result.ts";
import { cutText } from "../run/payload.ts";
import { toolMessagesIn } from "../run/span-payloads.ts";
import type { Span } from "../run/span-tree.ts";
import { unlessOdd } from "../run/unless-odd.ts";
import { withResults } from "../threads/open-tool-calls.ts";
import { KeptSteps, type Step } from "./kept-steps.ts";
import { resultCharacters, storedExchange } from "./stored-exchange.ts";

export class ExchangeRecorder {
  readonly #steps = new KeptSteps();
  /** Nodes may return the whole conversation, of which most is old. */
  readonly #heard = new WeakSet<ToolMessage>();
  readonly #hidesTexts: boolean;
  /** As the bot's runnable was given it. */
  #question: string | undefined;
  /** Of a run that is completed. */
  #said: BaseMessage[] | undefined;

  /** @param options.hidesTexts whether what models say may be shown, and kept, only once the run is over */
  constructor(options: { readonly hidesTexts: boolean }) {
    this.#hidesTexts = options.hidesTexts;
  }

  modelAsked(model: Span, { text, toolCalls }: ModelResult): void {
    if (model.structured || model.outerTool !== undefined) return;
    const calls = toolCalls.flatMap(({ id, name, args }) =>
      id !== undefined && isFields(args) ? [{ id, name, args }] : [],
    );
    if (calls.length > 0) this.#steps.asked(this.#hidesTexts ? "" : text, calls);
  }

  toolReturned(tool: Span, output: unknown): void {
    if (tool.outerTool !== undefined) return;
    const id = tool.toolCallId ?? this.#openCallOf(tool.name);
    if (id === undefined) return;
    const messages = toolMessagesIn(isCommand(output) ? output.update : output);
    const own = messages.find(({ tool_call_id }) => tool_call_id === id);
    this.#steps.answered(own ?? new ToolMessage({ tool_call_id: id, content: textOf(output) }));
  }

  /** A node of a graph returned: calls that no tool ran for, or whose tool failed, are answered there. */
  nodeReturned(node: Span, outputs: unknown): void {
    if (!node.isNode || node.outerTool !== undefined || this.#steps.all.length === 0) return;
    for (const message of toolMessagesIn(outputs)) {
      if (this.#heard.has(message)) continue;
      this.#heard.add(message);
      this.#steps.answered(message);
    }
  }

  /** @param input what the bot's runnable is given */
  given(input: unknown): void {
    const messages = unlessOdd(() => messagesIn(input)) ?? [];
    this.#question = unlessOdd(() => messages.findLast(isHumanMessage)?.text);
    for (const message of messages) if (isToolMessage(message)) this.#heard.add(message);
  }

  /** The run is completed. @param value what the bot's runnable returned */
  returned(value: unknown): void {
    // A bot that asks for a tool's arguments, and runs no tool, has made a step of nothing.
    const answered = this.#steps.all.filter(({ results }) => results.size > 0);
    const state = unlessOdd(() => sinceQuestion(messagesIn(value), this.#question));
    this.#said = state ?? answered.flatMap(stepMessages);
  }

  /** What was said so far; undefined where no tool was asked for anything. */
  get json(): string | undefined {
    const said = this.#said ?? this.#steps.all.flatMap(stepMessages);
    return unlessOdd(() => storedExchange(withResults(said)));
  }

  /** Classic agents run their tools without the call's id. */
  #openCallOf(name: string): string | undefined {
    for (const { asking, results } of this.#steps.all.toReversed()) {
      const open = asking.tool_calls?.find(
        (call) => call.name === name && !results.has(call.id ?? ""),
      );
      if (open !== undefined) return open.id;
    }
    return undefined;
  }
}

/** Of a graph's state, or of a list of messages. */
function messagesIn(value: unknown): BaseMessage[] {
  if (Array.isArray(value)) return lastMessages(value);
  return isFields(value) && Array.isArray(value.messages) ? lastMessages(value.messages) : [];
}

function stepMessages({ asking, results }: Step): BaseMessage[] {
  return [asking, ...results.values()];
}

/**
 * The messages of a state behind the question, up to the last result of a tool; undefined where the
 * question is not found, as after a summary.
 */
function sinceQuestion(
  state: readonly BaseMessage[],
  asked: string | undefined,
): BaseMessage[] | undefined {
  const at = state.findLastIndex((message) => isHumanMessage(message) && message.text === asked);
  if (at < 0) return undefined;
  const end = state.findLastIndex((message) => isToolMessage(message));
  return answersInOrder(state.slice(at + 1, end + 1));
}

/**
 * Without instructions, and each call followed by its one result: providers refuse a result whose call is
 * gone, a second one, and whatever stands between the two.
 */
function answersInOrder(messages: readonly BaseMessage[]): BaseMessage[] {
  return messages.flatMap((message, at): BaseMessage[] => {
    if (isAIMessage(message)) return [message, ...resultsOf(message, messages.slice(at + 1))];
    return isHumanMessage(message) ? [message] : [];
  });
}

/** @param after the messages behind it: a server may number the calls of the model's next one anew */
function resultsOf({ tool_calls: calls = [] }: AIMessage, after: readonly BaseMessage[]) {
  if (calls.length === 0) return [];
  const next = after.findIndex((message) => isAIMessage(message));
  const results = new Set(after.slice(0, next < 0 ? undefined : next).filter(isToolMessage));
  return calls.flatMap(({ id }) => {
    const own = [...results].find((result) => result.tool_call_id === id);
    if (own === undefined) return [];
    results.delete(own);
    return [own];
  });
}

function textOf(output: unknown): string {
  if (typeof output === "string") return cutText(output, resultCharacters);
  try {
    return cutText(JSON.stringify(output) ?? "", resultCharacters);
  } catch {
    return "";
  }
}

const isFields = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isCommand = (value: unknown): value is { readonly update?: unknown } =>
  isFields(value) && value.lg_name === "Command";
