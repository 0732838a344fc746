/**
 * Any value as bounded, plain JSON: what a span took or returned, fit for the wire. Whatever the
 * value does (cycles, getters and proxies that throw, BigInts, a million entries), this returns,
 * and where something was left out a mark says so.
 */
import {
  type BaseMessage,
  isAIMessage,
  isBaseMessage,
  isToolMessage,
  type ToolMessage,
} from "@langchain/core/messages";
import type { Json } from "../../protocol/events.ts";
import { withoutBytes } from "./content/without-bytes.ts";

export interface PayloadLimits {
  readonly depth: number;
  /** Entries of one array or object. */
  readonly items: number;
  /** Characters of one string. */
  readonly characters: number;
  /** Characters of the whole payload, near enough. */
  readonly totalCharacters: number;
}

export const payloadLimits = {
  depth: 8,
  items: 100,
  characters: 8_000,
  totalCharacters: 64_000,
  /** Characters of the name of a span, a tool or a custom event. */
  nameCharacters: 200,
} as const;

export function toPayload(value: unknown, limits: PayloadLimits = payloadLimits): Json {
  return new Payload(limits).of(value, 0) ?? null;
}

/** Payloads that a list may come to. */
const payloadsOfList = 4;

/** The values of one list, bounded together: each alone may be as large as a payload. */
export class PayloadBudget {
  readonly #payload = new Payload({
    ...payloadLimits,
    totalCharacters: payloadsOfList * payloadLimits.totalCharacters,
  });

  text(text: string): string {
    return String(this.#payload.of(text, 0));
  }

  payload(value: unknown): Json {
    return this.#payload.of(value, 0) ?? null;
  }
}

/** A text no longer than `characters`, its end marked where it was cut. */
export function cutText(text: string, characters: number): string {
  if (text.length <= characters) return text;
  // A pair of surrogates is one character: half of it would be none.
  const splitsPair = /[\uD800-\uDBFF]/.test(text.charAt(characters - 1));
  const kept = splitsPair ? characters - 1 : characters;
  return `${text.slice(0, kept)}…[cut: ${text.length - kept} characters]`;
}

/** Characters that any value is counted as, at least. */
export const leastCost = 8;

const cut = (what: string): string => `…[cut: ${what}]`;
export const unreadable = "…[unreadable]";

class Payload {
  readonly #limits: PayloadLimits;
  readonly #above = new Set<object>();
  #left: number;

  constructor(limits: PayloadLimits) {
    this.#limits = limits;
    this.#left = limits.totalCharacters;
  }

  /** `undefined` for what JSON leaves out. */
  of(value: unknown, depth: number): Json | undefined {
    if (this.#left <= 0) return cut("the payload is too large");
    switch (typeof value) {
      case "string":
        if (value === "") this.#left -= leastCost;
        return this.#text(value);
      case "number":
        this.#left -= leastCost;
        // JSON has no -0: adding makes it 0.
        return Number.isFinite(value) ? value + 0 : String(value);
      case "boolean":
        this.#left -= leastCost;
        return value;
      case "bigint":
        return this.#text(value.toString());
      case "object":
        // Also of what is empty, and of what stands there again: a few arrays that hold each other's
        // parts a hundred times would be walked for ever.
        this.#left -= leastCost;
        return value === null ? null : this.#object(value, depth);
      default:
        this.#left -= leastCost;
        return undefined;
    }
  }

  #text(text: string): string {
    const kept = cutText(text, Math.min(this.#limits.characters, this.#left)).toWellFormed();
    this.#left -= kept.length;
    return kept;
  }

  #object(value: object, depth: number): Json | undefined {
    if (this.#above.has(value)) return cut("circular");
    if (depth >= this.#limits.depth) return cut(`deeper than ${this.#limits.depth} levels`);
    this.#above.add(value);
    try {
      return this.#plain(value, depth);
    } catch {
      return unreadable;
    } finally {
      this.#above.delete(value);
    }
  }

  #plain(value: object, depth: number): Json | undefined {
    if (Array.isArray(value)) return this.#array(value, value.length, depth);
    if (isBaseMessage(value)) return this.#entries(Object.entries(messageOf(value)), depth);
    if (value instanceof Date) return this.#text(value.toISOString());
    if (value instanceof Map) return this.#entries([...value], depth);
    if (value instanceof Set) return this.#array([...value], value.size, depth);
    if (ArrayBuffer.isView(value)) return cut(`${value.byteLength} bytes`);
    // An error's message is written for the log: it may hold what must not leave the server.
    if (value instanceof Error) return { error: value.name };
    if ("lc_namespace" in value) return this.#langChain(value, depth);
    if ("toJSON" in value && typeof value.toJSON === "function") {
      return this.of(value.toJSON(), depth + 1);
    }
    const keys = Object.keys(value);
    // One more than is kept, so that the cut shows.
    const first = readable(value, keys.slice(0, this.#limits.items + 1));
    return this.#entries(first, depth, keys.length);
  }

  /** LangChain's models and tools hold credentials: of what is no message, the name will do. */
  #langChain(value: object, depth: number): Json {
    if ("toChatMessages" in value && typeof value.toChatMessages === "function") {
      return this.#entries([["messages", value.toChatMessages()]], depth);
    }
    return this.#entries([["type", value.constructor.name]], depth);
  }

  #array(values: Iterable<unknown>, length: number, depth: number): Json[] {
    const items: Json[] = [];
    for (const item of values) {
      if (items.length === this.#limits.items || this.#left <= 0) {
        items.push(cut(`${length - items.length} items`));
        break;
      }
      items.push(this.of(item, depth + 1) ?? null);
    }
    return items;
  }

  /** @param total how many there are, where these are the first of more */
  #entries(
    entries: readonly (readonly [unknown, unknown])[],
    depth: number,
    total = entries.length,
  ): Json {
    const kept: [string, Json][] = [];
    let seen = 0;
    for (const [key, value] of entries) {
      if (seen === this.#limits.items || this.#left <= 0) {
        kept.push(["…", cut(`${total - seen} entries`)]);
        break;
      }
      seen += 1;
      const json = this.of(value, depth + 1);
      if (json !== undefined) kept.push([this.#text(String(key)), json]);
    }
    return Object.fromEntries(kept);
  }
}

function messageOf(message: BaseMessage): object {
  const toolCalls = isAIMessage(message) ? (message.tool_calls ?? []) : [];
  return {
    role: message.type,
    content: isToolMessage(message) ? toolContent(message) : message.content,
    name: message.name,
    ...(toolCalls.length > 0 && {
      toolCalls: toolCalls.map(({ id, name, args }) => ({ id, name, args })),
    }),
    ...(isToolMessage(message) && { toolCallId: message.tool_call_id, ...artifactOf(message) }),
  };
}

/** What a tool returned for a page and not for the model: LangChain's `content_and_artifact`. */
export function artifactOf({ artifact, status }: ToolMessage): { artifact?: unknown } {
  return artifact === undefined || status === "error" ? {} : { artifact };
}

/** What a tool returned. Where it failed, the message is its error's, for the model alone. */
export function toolContent({ content, status }: ToolMessage): unknown {
  return status === "error" ? "…[the tool's error stays on the server]" : withoutBytes(content);
}

/** Entries; a getter that throws costs its own value alone. */
function readable(value: object, keys: readonly string[]): [string, unknown][] {
  return keys.map((key) => {
    try {
      return [key, Reflect.get(value, key)];
    } catch {
      return [key, unreadable];
    }
  });
}
