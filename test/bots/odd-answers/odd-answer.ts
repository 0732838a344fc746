/**
 * Answers of servers that speak OpenAI's protocol almost: what they send, and what a user must get.
 * `events` are written as server-sent events, a string as it is. Each is asked for streamed and whole.
 */

export interface OddAnswer {
  readonly name: string;
  readonly events?: readonly (object | string)[];
  /** The body in place of events: an object is JSON. */
  readonly body?: object | string;
  readonly contentType?: string;
  /** What else the request asks for. */
  readonly request?: { readonly n: number };
  /** How the server ends: it closes; breaks the connection; leaves it open. */
  readonly ending?: "reset" | "open";
  readonly gets: Answered | Failed;
  /** The stock `ChatOpenAI` gives the same, streaming: it must not be better than ours. */
  readonly stock?: true;
}

export interface Answered {
  readonly text?: string;
  readonly reasoning?: string;
  /** Each as `name(arguments)`. */
  readonly tools?: readonly string[];
  readonly tokens?: number;
  readonly finish?: string;
}

export interface Failed {
  /** Words of the error, for the operator. */
  readonly fails: RegExp;
}

export const head = { id: "chatcmpl-1", object: "chat.completion.chunk", created: 1, model: "m" };
export const chunk = (delta: object, finish: string | null = null, more: object = {}) => ({
  ...head,
  choices: [{ index: 0, delta, finish_reason: finish }],
  ...more,
});
export const counts = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 };
export const role = chunk({ role: "assistant", content: "" });
export const text = (content: unknown) => chunk({ content });
export const hello = [text("Hel"), text("lo")];
export const stop = chunk({}, "stop");
export const calls = chunk({}, "tool_calls");
export const usage = { ...head, choices: [], usage: counts };
export const done = "data: [DONE]\n\n";
export const tool = (...given: object[]) => chunk({ tool_calls: given });
export const look = (args: unknown, more: object = {}) => ({
  index: 0,
  id: "c1",
  type: "function",
  function: { name: "look", arguments: args },
  ...more,
});
export const args = (piece: string, more: object = {}) => ({
  index: 0,
  function: { arguments: piece },
  ...more,
});
export const whole = (message: object, finish: unknown = "stop", more: object = {}) => ({
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1,
  model: "m",
  choices: [{ index: 0, message: { role: "assistant", ...message }, finish_reason: finish }],
  usage: counts,
  ...more,
});

export const said = { text: "Hello", tokens: 18 };
export const used = { text: "", tools: ['look({"q":"a"})'], tokens: 18 };
export const usedBoth = { ...used, tools: ['look({"q":"a"})', 'look({"q":"b"})'] };
export const thought = { ...said, reasoning: "hm" };
export const cut = { fails: /broke off/ };
