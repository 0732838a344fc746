/**
 * A model provider over real HTTP that speaks the protocol it is given, for the provider's real
 * LangChain package. Each call is answered by a script; the ledger tells what was asked, and a
 * request that the real API would refuse is refused here.
 *
 *   await using provider = await startMockProvider(anthropicMessages);
 *   provider.answer({ steps: ["Hel", "lo"] });     // the next call
 *   provider.answer(new Refusal(429, "slow down"));  // the one after
 *   provider.answerAll((call) => …);                 // all the others
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import {
  type Answer,
  type AnswerWriter,
  type JsonObject,
  type ProviderProtocol,
  type ProviderRequest,
  Refusal,
  type ScriptedToolCall,
  type Step,
} from "./provider-protocol.ts";

export interface ProviderCall extends ProviderRequest {
  readonly index: number;
  /** The request as it came. */
  readonly body: JsonObject;
  /** The last message's text. */
  readonly lastText: string;
  /** `aborted`: the caller hung up before the answer's end. */
  readonly closed: Promise<"ended" | "aborted">;
}

type SeldomStep = Extract<Step, { image: unknown } | { source: unknown } | { refusal: string }>;
type Reply = Answer | Refusal;
type Responder = (call: ProviderCall) => Reply;

export interface MockProvider extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`, without a path. */
  readonly url: string;
  readonly calls: readonly ProviderCall[];
  /** What the real API would have refused in the requests so far, in its own words. */
  readonly violations: readonly string[];
  /** Scripts the next call that has no script yet; several queue up. */
  answer(reply: Reply | Responder): void;
  /** Scripts every call that `answer` leaves. */
  answerAll(reply: Reply | Responder): void;
}

export async function startMockProvider(protocol: ProviderProtocol): Promise<MockProvider> {
  const calls: ProviderCall[] = [];
  const violations: string[] = [];
  const scripts: Responder[] = [];
  let otherwise: Responder = (call) => ({ steps: [`You said: ${call.lastText}`] });

  const server = createServer((request, response) => {
    serve(request, response).catch((cause: unknown) => {
      const refusal = cause instanceof Refusal ? cause : new Refusal(418, `mock: ${cause}`);
      violations.push(`${refusal.status} ${refusal.message}`);
      refuse(response, protocol, refusal);
    });
  });

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "", headers } = request;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body: JsonObject = JSON.parse(Buffer.concat(chunks).toString("utf8") || "{}");
    const read = protocol.read({ method, url, headers, body });
    const hungUp = new AbortController();
    const closed = Promise.withResolvers<"ended" | "aborted">();
    response.on("close", () => {
      closed.resolve(response.writableFinished ? "ended" : "aborted");
      hungUp.abort();
    });
    const lastText = read.turns.at(-1)?.text ?? "";
    const call = { ...read, body, lastText, index: calls.length, closed: closed.promise };
    calls.push(call);
    const reply = (scripts.shift() ?? otherwise)(call);
    if (reply instanceof Refusal) refuse(response, protocol, reply);
    else if (read.streams) {
      const writer = protocol.writer(body);
      response.writeHead(200, { "content-type": protocol.contentType });
      await stream(response, writer, { reply, hungUp: hungUp.signal });
    } else whole(response, protocol, reply);
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const responder = (reply: Reply | Responder): Responder =>
    typeof reply === "function" ? reply : () => reply;
  return {
    url: `http://127.0.0.1:${port}`,
    calls,
    violations,
    answer: (reply) => void scripts.push(responder(reply)),
    answerAll: (reply) => {
      otherwise = responder(reply);
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function refuse(response: ServerResponse, protocol: ProviderProtocol, refusal: Refusal): void {
  if (response.headersSent) response.destroy();
  else {
    const headers = { "content-type": "application/json", ...refusal.headers };
    response.writeHead(refusal.status, headers).end(JSON.stringify(protocol.refusal(refusal)));
  }
}

async function stream(
  response: ServerResponse,
  writer: AnswerWriter,
  { reply, hungUp }: { readonly reply: Answer; readonly hungUp: AbortSignal },
): Promise<void> {
  await send(response, writer.begin());
  let toolCalls = 0;
  for (const step of reply.steps) {
    if (hungUp.aborted) return;
    if (step === "stall") return;
    if (step === "cut") {
      response.destroy();
      return;
    }
    if (typeof step === "string") await send(response, writer.text(step));
    else if ("reasoning" in step) await send(response, writer.reasoning(step.reasoning));
    else if ("toolCall" in step) {
      for (const piece of writer.toolCall(step, toolCalls)) await send(response, piece);
      toolCalls += 1;
    } else if ("until" in step) await orHungUp(step.until, hungUp);
    else await send(response, seldomWritten(writer, step));
  }
  if (reply.finishes !== false) {
    await send(response, writer.finish(toolCalls > 0 ? "tools" : "stop"));
  }
  response.end();
}

function seldomWritten(writer: AnswerWriter, step: SeldomStep): string {
  const written =
    "image" in step
      ? writer.image?.(step.image)
      : "source" in step
        ? writer.source?.(step.source)
        : writer.refusal?.(step.refusal);
  if (written === undefined) throw new Refusal(418, "this protocol has no such thing");
  return written;
}

/** The answer of a call that did not ask for a stream. */
function whole(response: ServerResponse, protocol: ProviderProtocol, reply: Answer): void {
  const { steps } = reply;
  const isToolCall = (step: unknown): step is ScriptedToolCall =>
    typeof step === "object" && step !== null && "toolCall" in step;
  const said = steps.filter((step) => typeof step === "string");
  if (said.includes("cut") || said.includes("stall")) throw new Refusal(418, "only for streams");
  const answer = { text: said.join(""), toolCalls: steps.filter(isToolCall) };
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify(protocol.whole(answer)));
}

/** Lets the bytes leave as a packet of their own. */
async function send(response: ServerResponse, bytes: string): Promise<void> {
  if (bytes === "") return;
  response.write(bytes);
  await new Promise((resolve) => setImmediate(resolve));
}

async function orHungUp(until: Promise<unknown>, hungUp: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  hungUp.addEventListener("abort", () => resolve(), { once: true });
  if (!hungUp.aborted) await Promise.race([until, promise]);
}
