/**
 * What a chain is given that begins with a prompt whose variables are of its own naming: the message where
 * one text is asked for, what was said before where messages are.
 */
import { HumanMessage } from "@langchain/core/messages";
import type { BotDefinition, BotRunnable, BotTurn } from "../../bots/bot.ts";

/** What every chain is given by default: bots/run/bot-input.ts. */
const givenByDefault: ReadonlySet<string> = new Set(["history", "human_input"]);

/**
 * @returns undefined where the default will do
 * @throws Error where the prompt asks for more than a message and what was before
 */
export function promptInput(runnable: BotRunnable): BotDefinition["input"] {
  const prompt = promptOf(runnable);
  if (prompt === undefined) return undefined;
  const { inputVariables: variables } = prompt;
  if (variables.every((name) => givenByDefault.has(name))) return undefined;
  const lists = listsOf(prompt);
  const texts = variables.filter((name) => !lists.includes(name));
  const [text] = texts;
  const [list] = lists;
  if (texts.length > 1 || (text === undefined && lists.length > 1)) {
    throw new Error(
      `Its prompt asks for ${variables.join(", ")}: \`input\` says what of it is the message.`,
    );
  }
  if (text !== undefined) {
    return ({ message, messages }: BotTurn) => ({
      ...Object.fromEntries(lists.map((name) => [name, messages])),
      [text]: message,
    });
  }
  return ({ message, messages }: BotTurn) => ({
    ...(list !== undefined && { [list]: [...messages, new HumanMessage(message)] }),
  });
}

interface Prompt {
  readonly inputVariables: readonly string[];
}

/** The prompt with which a runnable begins: itself, or a sequence's first step. */
function promptOf(runnable: unknown): (object & Prompt) | undefined {
  if (typeof runnable !== "object" || runnable === null) return undefined;
  if (isPrompt(runnable)) return runnable;
  const inner: unknown = "first" in runnable ? runnable.first : Reflect.get(runnable, "bound");
  return promptOf(inner);
}

const isPrompt = (value: object): value is Prompt =>
  "formatPromptValue" in value && "inputVariables" in value && Array.isArray(value.inputVariables);

/** The variables that stand for messages: MessagesPlaceholders. */
function listsOf(prompt: object): string[] {
  const parts: unknown = Reflect.get(prompt, "promptMessages");
  if (!Array.isArray(parts)) return [];
  return parts.flatMap((part: unknown) => {
    const name: unknown =
      typeof part === "object" && part !== null ? Reflect.get(part, "variableName") : undefined;
    return typeof name === "string" ? [name] : [];
  });
}
