/**
 * What of a chain's input or output may be seen at a level of `expose`, where it is the root's or an
 * agent's finish. A graph's state, and what a chain returns beside its answer, hold what tools and
 * retrievers took and gave: what a level hides in their spans, it hides in here.
 *
 * - `root`: strings, the texts of human and AI messages, and of objects the entries under names by
 *   which LangChain calls a question, a conversation and an answer;
 * - `tools`: beside those whole messages, documents and steps; of a graph's state no other channels;
 * - at neither level: system messages and prompts.
 */
import { isAIMessage, isBaseMessage, isHumanMessage } from "@langchain/core/messages";
import { leastCost, payloadLimits } from "../run/payload.ts";

export type PartlyVisible = "root" | "tools";

const conversationKeys = [
  ..."messages input question query message human_input history chat_history chatHistory".split(
    " ",
  ),
  ..."answer output text response result content".split(" "),
];
const toolKeys = [
  ..."context documents docs sourceDocuments source_documents".split(" "),
  ..."intermediateSteps intermediate_steps".split(" "),
];
const shownAt: Readonly<Record<PartlyVisible, ReadonlySet<string>>> = {
  root: new Set(conversationKeys),
  tools: new Set([...conversationKeys, ...toolKeys]),
};

/** Whether LangChain puts under this name what tools and retrievers gave. */
export const isToolsKey = (key: string): boolean => toolKeys.includes(key);

const humanRoles = new Set(["human", "user"]);
const modelRoles = new Set(["ai", "assistant"]);
const hiddenRoles = new Set(["system", "developer", "tool", "function", "generic", "remove"]);

/** Stands for a value without a visible part: whatever holds it leaves it out. */
const hidden = Symbol("hidden");

/** Copies the visible part of a value into plain values. @throws only what the value's getters throw */
export function visiblePart(
  value: unknown,
  options: { readonly level: PartlyVisible; readonly isGraphState: boolean },
): unknown {
  const part = new Part(options.level).of(value, options.isGraphState, 0);
  return part === hidden ? undefined : part;
}

/** Values that fit into a payload, at least: what comes after so many is cut there anyway. */
const maxValues = payloadLimits.totalCharacters / leastCost;

class Part {
  readonly #level: PartlyVisible;
  /** Values that may still be looked at: parts that hold each other often would never end. */
  #left = maxValues;

  constructor(level: PartlyVisible) {
    this.#level = level;
  }

  of(value: unknown, isGraphState: boolean, depth: number): unknown {
    this.#left -= 1;
    if (this.#left < 0) return hidden;
    if (typeof value !== "object" || value === null) return value;
    // Deeper than that, a payload is cut; cycles end here, too.
    if (depth > payloadLimits.depth) return hidden;
    if (isBaseMessage(value)) return this.#message(value);
    if (Array.isArray(value)) return this.#array(value, depth);
    if ("toChatMessages" in value) return hidden;
    const message = storedMessage(value);
    if (message !== undefined) return this.#messageLike(message, message.role);
    const role = roleOf(value);
    if (role !== undefined) return this.#messageLike(value, role);
    if (this.#level === "root" && isToolBlock(value)) return hidden;
    if (this.#level === "tools" && !isGraphState && !("messages" in value)) {
      if (isPlain(value)) return this.#entries(value, () => true, depth);
      if (value instanceof Map) return this.#entries(Object.fromEntries(value), () => true, depth);
      // What another class keeps may be a prompt, or a key.
      return value instanceof Date || "pageContent" in value ? value : hidden;
    }
    if (!isPlain(value)) return value instanceof Date ? value : hidden;
    return this.#entries(value, (key) => shownAt[this.#level].has(key), depth);
  }

  #message(message: Parameters<typeof isHumanMessage>[0]): unknown {
    if (hiddenRoles.has(message.type) && !(this.#level === "tools" && message.type === "tool")) {
      return hidden;
    }
    if (this.#level === "tools") return message;
    if (!isHumanMessage(message) && !isAIMessage(message)) return hidden;
    return { role: message.type, content: message.text };
  }

  /** A message as a plain object, in the ways in which LangChain takes one. */
  #messageLike(value: object, role: string): unknown {
    const isTool = role === "tool" || role === "function";
    if (this.#level === "tools" && (isTool || !hiddenRoles.has(role))) return value;
    const content: unknown = Reflect.get(value, "content");
    if (hiddenRoles.has(role)) return hidden;
    return { role, content: typeof content === "string" ? content : textOfBlocks(content) };
  }

  #array(values: readonly unknown[], depth: number): unknown {
    const [role, content] = values;
    // LangChain takes a pair of a role and a text for a message, too.
    if (values.length === 2 && typeof role === "string" && isRole(role)) {
      const isTool = role === "tool" || role === "function";
      if (hiddenRoles.has(role) && !(this.#level === "tools" && isTool)) return hidden;
      if (this.#level === "root" && typeof content !== "string")
        return [role, textOfBlocks(content)];
    }
    const kept: unknown[] = [];
    for (const value of values.slice(0, payloadLimits.items)) {
      const part = this.of(value, false, depth + 1);
      if (part !== hidden) kept.push(part);
    }
    const left = values.length - payloadLimits.items;
    if (left > 0) kept.push(`…[cut: ${left} items]`);
    return kept;
  }

  #entries(value: object, isShown: (key: string) => boolean, depth: number): unknown {
    const kept: [string, unknown][] = [];
    let left = 0;
    for (const key of Object.keys(value)) {
      const part = isShown(key) ? this.of(Reflect.get(value, key), false, depth + 1) : hidden;
      if (part === hidden) left += 1;
      else kept.push([key, part]);
    }
    if (left > 0) kept.push(["…", `…[hidden: ${left} entries]`]);
    return Object.fromEntries(kept);
  }
}

const isRole = (role: string): boolean =>
  humanRoles.has(role) || modelRoles.has(role) || hiddenRoles.has(role);

function roleOf(value: object): string | undefined {
  if (!("content" in value)) return undefined;
  for (const key of ["role", "type", "_type"]) {
    const role: unknown = key in value ? Reflect.get(value, key) : undefined;
    if (typeof role !== "string") continue;
    if (isRole(role)) return role;
    // A message of a role that nobody here knows.
    if (key === "role") return "generic";
  }
  return undefined;
}

/** A message as LangChain stores it (`{ type, data }`) or serializes it (`{ lc, id, kwargs }`). */
function storedMessage(value: object): { role: string; content: unknown } | undefined {
  if ("lc" in value && "id" in value && "kwargs" in value && Array.isArray(value.id)) {
    const name = String(value.id.at(-1));
    const role = /^(\w+?)Message(Chunk)?$/.exec(name)?.[1]?.toLowerCase() ?? "generic";
    return { role: isRole(role) ? role : "generic", content: contentOf(value.kwargs) };
  }
  if ("type" in value && typeof value.type === "string" && "data" in value) {
    if (isRole(value.type)) return { role: value.type, content: contentOf(value.data) };
  }
  return undefined;
}

function contentOf(fields: unknown): unknown {
  return typeof fields === "object" && fields !== null && "content" in fields
    ? fields.content
    : undefined;
}

/** A content block that says what a tool was given or gave, in any provider's words. */
const isToolBlock = (value: object): boolean =>
  "type" in value && typeof value.type === "string" && /tool|function/.test(value.type);

function textOfBlocks(content: unknown): string {
  if (!Array.isArray(content)) return "";
  return content
    .map((block: unknown) => {
      if (typeof block === "string") return block;
      const isText = typeof block === "object" && block !== null && "text" in block;
      return isText && "type" in block && block.type === "text" ? String(block.text) : "";
    })
    .join("");
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
