/** What every provider's API refuses, said once; and how to read JSON that nobody has typed. */
import { type HttpRequest, type JsonObject, Refusal, type Turn } from "./provider-protocol.ts";

/** Refuses requests to another address, as the provider would: 404, and no word about models. */
export function expectPost({ method, url }: HttpRequest, path: RegExp): void {
  if (method !== "POST" || !path.test(url)) throw new Refusal(404, `no route ${method} ${url}`);
}

export function expectHeader({ headers }: HttpRequest, name: string, value: RegExp): void {
  const found = headers[name];
  if (typeof found !== "string" || !value.test(found)) throw new Refusal(401, `bad ${name}`);
}

/**
 * Somebody must have spoken to the model last; each tool call is followed by its result, before
 * anything else is said; each result follows its call.
 */
export function expectOrder(turns: readonly Turn[]): void {
  let open = new Set<string>();
  for (const turn of turns) {
    if (turn.role === "tool") {
      if (!open.delete(turn.toolCallId)) {
        throw new Refusal(400, `tool result ${turn.toolCallId} without its tool call`);
      }
      continue;
    }
    if (open.size > 0) {
      throw new Refusal(400, `tool calls without a result: ${[...open].join(", ")}`);
    }
    if (turn.role === "ai") open = new Set(turn.toolCallIds);
    else if (turn.text === "") throw new Refusal(400, `a ${turn.role} message is empty`);
  }
  if (open.size > 0) throw new Refusal(400, `tool calls without a result: ${[...open].join(", ")}`);
  const last = turns.at(-1);
  if (last === undefined || last.role === "ai" || last.role === "system") {
    throw new Refusal(400, `the last message is of ${last?.role ?? "nobody"}`);
  }
}

export function objectsOf(value: unknown, what: string): readonly JsonObject[] {
  if (!Array.isArray(value)) throw new Refusal(400, `${what} is no array`);
  return value.map((item) => objectOf(item, what));
}

export function objectOf(value: unknown, what: string): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Refusal(400, `${what} is no object`);
  }
  return value as JsonObject;
}

export function stringOf(value: unknown, what: string): string {
  if (typeof value !== "string") throw new Refusal(400, `${what} is no string`);
  return value;
}

/** Text given as a string, or as parts that have a `text`. */
export function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content
    .map((part: unknown) =>
      typeof part === "object" && part !== null && "text" in part ? String(part.text) : "",
    )
    .join("");
}
