/**
 * What a prompt is given whose variables are of its own naming: the message where one text is asked for,
 * what was said before where messages are.
 */
import { type BaseMessage, HumanMessage } from "@langchain/core/messages";

/** What every chain is given: ../run/bot-input.ts. */
const givenToChains: ReadonlySet<string> = new Set(["history", "human_input"]);

export interface PromptVariables {
  /** Is given the message; where there is none, the message is the last of `lists`. */
  readonly text: string | undefined;
  /** Are given what was said before. */
  readonly lists: readonly string[];
}

/**
 * @returns undefined where it is no prompt, or where what every chain is given will do
 * @throws TypeError where it asks for more than a message and what was before
 */
export function variablesOf(layer: object): PromptVariables | undefined {
  if (!isPrompt(layer)) return undefined;
  const { inputVariables: names } = layer;
  if (names.every((name) => givenToChains.has(name))) return undefined;
  const lists = listsOf(layer);
  const [text, ...others] = names.filter((name) => !lists.includes(name));
  if (others.length > 0 || (text === undefined && lists.length > 1)) {
    throw new TypeError(
      `its prompt asks for ${names.join(", ")}: say with \`input\` what of it is the message`,
    );
  }
  return { text, lists };
}

export function filled(
  { text, lists }: PromptVariables,
  { message, before }: { readonly message: string; readonly before: readonly BaseMessage[] },
): object {
  const messages = text === undefined ? [...before, new HumanMessage(message)] : before;
  return {
    ...Object.fromEntries(lists.map((name) => [name, messages])),
    ...(text !== undefined && { [text]: message }),
  };
}

interface Prompt {
  readonly inputVariables: readonly string[];
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
