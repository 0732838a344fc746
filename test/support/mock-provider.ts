/**
 * A model provider that speaks OpenAI's chat completions over real HTTP, for the real `ChatOpenAI`; and
 * its embeddings, which need no script.
 * Each call is answered by a script of steps, so that a test decides about every byte: how the
 * text is cut into chunks, when nothing comes, where the connection breaks. The ledger tells what
 * was asked and whether the caller stayed until the end.
 *
 *   await using provider = await startMockProvider();
 *   provider.answer({ steps: ["Hel", "lo"] });            // the next call
 *   provider.answer({ status: 429, headers: { "retry-after": "2" } });  // the one after
 *   provider.answerAll((call) => ({ steps: [call.lastText] }));         // all the others
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { embeddingsAnswer } from "./mock-embeddings.ts";

/** One thing that the provider does while it answers. */
type Step =
  /** A piece of the answer's text, in an SSE event of its own. */
  | string
  /** Bytes that go out as they are. */
  | Uint8Array
  | { readonly reasoning: string }
  /** A tool call; `argsInPieces` sends its arguments in that many SSE events. */
  | {
      readonly toolCall: string;
      readonly args: unknown;
      readonly id?: string;
      readonly argsInPieces?: number;
    }
  | { readonly pauseMs: number }
  /** Goes on when the promise settles; on hang-up the answer ends there. */
  | { readonly until: Promise<unknown> }
  /** Sends nothing more and keeps the connection open until the caller hangs up. */
  | "stall"
  /** Breaks the connection. */
  | "cut";

interface StreamReply {
  readonly steps: Iterable<Step> | AsyncIterable<Step>;
  /** Wait before each step. */
  readonly paceMs?: number;
  /** Wait before the response's headers. */
  readonly headersAfterMs?: number;
  /** Cuts the stream into writes of this many bytes, wherever that falls. */
  readonly bytesPerWrite?: number;
  /** What ends a line of the stream. Default: LF. */
  readonly lineEnd?: "\n" | "\r\n";
  /** Default: `tool_calls` after a tool call, else `stop`. `null`: the stream ends without one. */
  readonly finishReason?: string | null;
  /** Default: counted from the messages and the steps. `null`: none is sent. */
  readonly usage?: ProviderUsage | null;
}

interface StatusReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: an error body in OpenAI's shape. */
  readonly body?: string;
}

export type Reply = StreamReply | StatusReply;
type Responder = (call: ProviderCall) => Reply | Promise<Reply>;

interface ProviderUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly prompt_tokens_details?: { readonly cached_tokens: number };
  readonly completion_tokens_details?: { readonly reasoning_tokens: number };
}

interface ProviderMessage {
  readonly role: string;
  readonly content: unknown;
  readonly tool_calls?: readonly { readonly function: { readonly name: string } }[];
}

interface ProviderRequest {
  readonly model: string;
  readonly messages: readonly ProviderMessage[];
  readonly stream?: boolean;
  readonly temperature?: number;
  readonly tools?: readonly { readonly function: { readonly name: string } }[];
}

/** One line of the ledger. */
interface ProviderCall {
  /** 0 for the first call. */
  readonly index: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly request: ProviderRequest;
  /** The last message's text. */
  readonly lastText: string;
  /** How many steps have been taken. */
  readonly steps: number;
  /** `ended`: the whole answer was sent, or we broke off; `aborted`: the caller hung up before. */
  readonly closed: Promise<"ended" | "aborted">;
}

export interface MockProvider extends AsyncDisposable {
  /** Ends in `/v1`. */
  readonly baseUrl: string;
  readonly calls: readonly ProviderCall[];
  /** Scripts the next call that has no script yet; several queue up. */
  answer(reply: Reply | Responder): void;
  /** Scripts every call that `answer` leaves. Default: the text "You said: …", word by word. */
  answerAll(reply: Reply | Responder): void;
  /** The call of this index, once it has come. */
  call(index: number): Promise<ProviderCall>;
}

/** Text as the pieces that models send: words with the space before them. */
export function words(text: string): string[] {
  return text.match(/\s*\S+|\s+$/gu) ?? [];
}

const echo: Responder = (call) => ({ steps: words(`You said: ${call.lastText}`) });

class Call implements ProviderCall {
  readonly index: number;
  readonly headers: ProviderCall["headers"];
  readonly request: ProviderRequest;
  readonly #closed = Promise.withResolvers<"ended" | "aborted">();
  readonly closed = this.#closed.promise;
  readonly hungUp = new AbortController();
  steps = 0;

  constructor(index: number, headers: ProviderCall["headers"], request: ProviderRequest) {
    this.index = index;
    this.headers = headers;
    this.request = request;
  }

  get lastText(): string {
    return textOf(this.request.messages.at(-1)?.content);
  }

  /** The first word counts: a caller that hangs up after the end did not abort. */
  close(how: "ended" | "aborted"): void {
    this.#closed.resolve(how);
    if (how === "aborted") this.hungUp.abort();
  }
}

function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content
    .map((part: unknown) =>
      typeof part === "object" && part !== null && "text" in part ? String(part.text) : "",
    )
    .join("");
}

/** @param wantedPort default: any free one */
export async function startMockProvider(wantedPort = 0): Promise<MockProvider> {
  const calls: Call[] = [];
  const scripts: Responder[] = [];
  const waiting = new Map<number, ((call: ProviderCall) => void)[]>();
  let otherwise: Responder = echo;

  const server = createServer((request, response) => {
    serve(request, response).catch((cause: unknown) => {
      // A script that throws is a broken test: answer what no test can mistake for a success.
      response.headersSent
        ? response.destroy()
        : response.writeHead(418).end(`the script failed: ${cause}`);
    });
  });

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString("utf8");
    if (request.method === "POST" && request.url === "/v1/embeddings") {
      const answer = embeddingsAnswer(JSON.parse(text));
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
      return;
    }
    if (request.method !== "POST" || request.url !== "/v1/chat/completions") {
      response.writeHead(404).end();
      return;
    }
    const body: ProviderRequest = JSON.parse(text);
    const call = new Call(calls.length, request.headers, body);
    calls.push(call);
    response.on("close", () => call.close(response.writableFinished ? "ended" : "aborted"));
    for (const resolve of waiting.get(call.index) ?? []) resolve(call);
    const reply = await (scripts.shift() ?? otherwise)(call);
    if ("status" in reply) sendStatus(response, reply);
    else if (body.stream === true) await sendStream(response, call, reply);
    else await sendWhole(response, call, reply);
  }

  server.listen(wantedPort, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;

  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    calls,
    answer(reply) {
      scripts.push(typeof reply === "function" ? reply : () => reply);
    },
    answerAll(reply) {
      otherwise = typeof reply === "function" ? reply : () => reply;
    },
    call(index) {
      const existing = calls[index];
      if (existing !== undefined) return Promise.resolve(existing);
      const { promise, resolve } = Promise.withResolvers<ProviderCall>();
      waiting.set(index, [...(waiting.get(index) ?? []), resolve]);
      return promise;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function sendStatus(response: ServerResponse, reply: StatusReply): void {
  const error = { message: `mock status ${reply.status}`, type: "mock_error", code: null };
  response.writeHead(reply.status, { "content-type": "application/json", ...reply.headers });
  response.end(reply.body ?? JSON.stringify({ error }));
}

async function sendStream(response: ServerResponse, call: Call, reply: StreamReply): Promise<void> {
  const wire = new Wire(response, call, reply);
  if (reply.headersAfterMs !== undefined && !(await wire.pause(sleep(reply.headersAfterMs)))) {
    return;
  }
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
  response.flushHeaders();
  let calledTool = 0;
  let sent = 0;
  for await (const step of reply.steps) {
    if (reply.paceMs !== undefined && !(await wire.pause(sleep(reply.paceMs)))) return;
    if (call.hungUp.signal.aborted) return;
    call.steps += 1;
    if (step === "stall") {
      await wire.pause(new Promise(() => {}));
      return;
    }
    if (step === "cut") {
      await wire.flush();
      call.close("ended");
      response.destroy();
      return;
    }
    if (typeof step === "string") {
      sent += 1;
      await wire.delta({ content: step });
    } else if (step instanceof Uint8Array) await wire.write(step);
    else if ("reasoning" in step) await wire.delta({ reasoning_content: step.reasoning });
    else if ("toolCall" in step) await sendToolCall(wire, step, calledTool++);
    else if (!(await wire.pause("until" in step ? step.until : sleep(step.pauseMs)))) return;
  }
  const finish = reply.finishReason ?? (calledTool > 0 ? "tool_calls" : "stop");
  if (reply.finishReason !== null) await wire.delta({}, finish);
  if (reply.usage !== null) await wire.usage(reply.usage ?? countUsage(call.request, sent));
  // A client may hang up as soon as it has read [DONE]: that is the end, not an abort.
  await wire.flush();
  call.close("ended");
  if (reply.finishReason !== null) await wire.line("[DONE]");
  await wire.flush();
  response.end();
}

async function sendToolCall(
  wire: Wire,
  step: Extract<Step, { toolCall: string }>,
  index: number,
): Promise<void> {
  const id = step.id ?? `call_${index + 1}`;
  const args = JSON.stringify(step.args);
  const size = Math.ceil(args.length / (step.argsInPieces ?? 1));
  const head = { index, id, type: "function", function: { name: step.toolCall, arguments: "" } };
  await wire.delta({ content: null, tool_calls: [head] });
  for (let at = 0; at < args.length; at += size) {
    const piece = { index, function: { arguments: args.slice(at, at + size) } };
    await wire.delta({ tool_calls: [piece] });
  }
}

/** The answer of a call that did not ask for a stream. */
async function sendWhole(response: ServerResponse, call: Call, reply: StreamReply): Promise<void> {
  let content = "";
  const toolCalls: object[] = [];
  for await (const step of reply.steps) {
    call.steps += 1;
    if (step === "stall" || step === "cut") {
      if (step === "cut") response.destroy();
      return;
    }
    if (typeof step === "string") content += step;
    else if ("toolCall" in step) {
      const id = step.id ?? `call_${toolCalls.length + 1}`;
      const made = { name: step.toolCall, arguments: JSON.stringify(step.args) };
      toolCalls.push({ id, type: "function", function: made });
    } else if ("pauseMs" in step) await sleep(step.pauseMs);
    else if ("until" in step) await step.until;
  }
  const message = {
    role: "assistant",
    content,
    ...(toolCalls.length > 0 && { tool_calls: toolCalls }),
  };
  const finish = reply.finishReason ?? (toolCalls.length > 0 ? "tool_calls" : "stop");
  response.writeHead(200, { "content-type": "application/json" });
  response.end(
    JSON.stringify({
      ...completion(call, "chat.completion"),
      choices: [{ index: 0, message, finish_reason: finish }],
      usage: reply.usage ?? countUsage(call.request, words(content).length),
    }),
  );
}

/** Writes one call's SSE events, in the pieces that its reply asks for. */
class Wire {
  readonly #response: ServerResponse;
  readonly #call: Call;
  readonly #reply: StreamReply;
  #held = Buffer.alloc(0);
  #spoke = false;

  constructor(response: ServerResponse, call: Call, reply: StreamReply) {
    this.#response = response;
    this.#call = call;
    this.#reply = reply;
  }

  delta(delta: object, finishReason: string | null = null): Promise<void> {
    const role = this.#spoke ? {} : { role: "assistant" };
    this.#spoke = true;
    const choices = [{ index: 0, delta: { ...role, ...delta }, finish_reason: finishReason }];
    return this.line(
      JSON.stringify({ ...completion(this.#call, "chat.completion.chunk"), choices }),
    );
  }

  usage(usage: ProviderUsage): Promise<void> {
    const head = completion(this.#call, "chat.completion.chunk");
    return this.line(JSON.stringify({ ...head, choices: [], usage }));
  }

  line(data: string): Promise<void> {
    const end = this.#reply.lineEnd ?? "\n";
    return this.write(Buffer.from(`data: ${data}${end}${end}`));
  }

  async write(bytes: Uint8Array): Promise<void> {
    const size = this.#reply.bytesPerWrite;
    if (size === undefined) {
      this.#response.write(bytes);
      // Lets the bytes leave as a packet of their own.
      await new Promise((resolve) => setImmediate(resolve));
      return;
    }
    this.#held = Buffer.concat([this.#held, bytes]);
    while (this.#held.length >= size && !this.#call.hungUp.signal.aborted) {
      this.#response.write(this.#held.subarray(0, size));
      this.#held = this.#held.subarray(size);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async flush(): Promise<void> {
    if (this.#held.length > 0) this.#response.write(this.#held);
    this.#held = Buffer.alloc(0);
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Waits for `work`; false when the caller hung up first. */
  async pause(work: Promise<unknown>): Promise<boolean> {
    await this.flush();
    const { signal } = this.#call.hungUp;
    if (signal.aborted) return false;
    const { promise, resolve } = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => resolve(), { once: true });
    await Promise.race([work, promise]);
    return !signal.aborted;
  }
}

function completion(call: Call, object: string): object {
  return { id: `chatcmpl-${call.index}`, object, created: 0, model: call.request.model };
}

function countUsage(request: ProviderRequest, completionTokens: number): ProviderUsage {
  const prompt = request.messages.map((message) => textOf(message.content)).join(" ");
  const promptTokens = words(prompt).length;
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  };
}
