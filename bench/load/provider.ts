/**
 * The model provider, a process: OpenAI's streamed chat completions over HTTP/1.1, written by hand on
 * TCP so that it costs next to nothing beside the servers that are measured.
 */
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { serveCommands } from "../parts/commands.ts";
import { fastToken, pacedToken, readWish, type Wanted } from "./answers.ts";

/** Events in one write of a fast answer. Settable, since much of LangChain's cost hangs on it. */
let eventsPerWrite = 32;

const head =
  "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n";
const common =
  '"id":"chatcmpl-CbJ8x0Qv4pQm3Yd5sT7uWz1a","object":"chat.completion.chunk","created":1763900000,"model":"gpt-4.1-mini-2025-04-14","service_tier":"default","system_fingerprint":"fp_4c2851f862"';

function event(delta: object, finishReason: string | null = null): string {
  const choices = [{ index: 0, delta, logprobs: null, finish_reason: finishReason }];
  return `data: {${common},"choices":${JSON.stringify(choices)},"usage":null}\n\n`;
}

const opening = event({ role: "assistant", content: "", refusal: null });

function closing(tokens: number): string {
  const usage = { prompt_tokens: 20, completion_tokens: tokens, total_tokens: tokens + 20 };
  const last = `data: {${common},"choices":[],"usage":${JSON.stringify(usage)}}\n\n`;
  return `${event({}, "stop")}${last}data: [DONE]\n\n`;
}

/** One HTTP chunk. */
function chunk(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}

const lastChunk = "0\r\n\r\n";

const fastBodies = new Map<string, Buffer[]>();

/** The writes of a fast answer, made once. */
function fastBody({ tokens, tokenLength }: Wanted): Buffer[] {
  const key = `${tokens}/${tokenLength}/${eventsPerWrite}`;
  const known = fastBodies.get(key);
  if (known !== undefined) return known;
  const writes: Buffer[] = [];
  for (let from = 0; from < tokens; from += eventsPerWrite) {
    let text = from === 0 ? opening : "";
    const to = Math.min(tokens, from + eventsPerWrite);
    for (let index = from; index < to; index++)
      text += event({ content: fastToken(index, tokenLength) });
    writes.push(Buffer.from(chunk(text)));
  }
  writes.push(Buffer.from(chunk(closing(tokens)) + lastChunk));
  fastBodies.set(key, writes);
  return writes;
}

/** The tools of the agent that ships, called at once. */
const toolCalls = ["(2 + 3) * 4", "sqrt(2) ^ 10", "max(1, 2, 3) / 7"].map((expression, index) => ({
  index,
  id: `call_${index}`,
  type: "function",
  function: { name: "calculator", arguments: JSON.stringify({ expression }) },
}));

const toolCallsBody = (): string =>
  head +
  chunk(
    opening +
      event({ tool_calls: toolCalls }) +
      event({}, "tool_calls") +
      closing(30).split("\n\n").slice(1).join("\n\n"),
  ) +
  lastChunk;

async function answerFast(socket: Socket, wanted: Wanted): Promise<void> {
  socket.write(head);
  for (const write of fastBody(wanted)) {
    if (!socket.write(write)) await Promise.race([once(socket, "drain"), once(socket, "close")]);
    if (socket.destroyed) return;
  }
}

/** All paced answers are driven by one timer; each has its own phase within the interval. */
interface PacedAnswer {
  readonly socket: Socket;
  readonly wanted: Required<Wanted>;
  index: number;
  dueMs: number;
}

const paced = new Set<PacedAnswer>();
let ticking = false;

function answerPaced(socket: Socket, wanted: Required<Wanted>): void {
  socket.write(head + chunk(opening));
  // The time at which a request comes is its phase: the clients spread their requests evenly.
  paced.add({ socket, wanted, index: 0, dueMs: performance.now() });
  if (!ticking) tick();
}

function tick(): void {
  const now = performance.now();
  for (const answer of paced) {
    if (answer.dueMs > now) continue;
    const { socket, wanted } = answer;
    if (socket.destroyed) paced.delete(answer);
    else if (answer.index === wanted.tokens) {
      paced.delete(answer);
      socket.write(chunk(closing(wanted.tokens)) + lastChunk);
    } else {
      socket.write(chunk(event({ content: pacedToken(answer.index++) })));
      answer.dueMs += wanted.intervalMs;
    }
  }
  ticking = paced.size > 0;
  if (ticking) setTimeout(tick, 1);
}

let unanswered = 0;

/** Serves one connection: one request after the other, each with a body of a known length. */
function serve(socket: Socket): void {
  socket.setNoDelay(true);
  socket.on("error", () => socket.destroy());
  let text = "";
  socket.setEncoding("latin1");
  socket.on("data", (data: string) => {
    text += data;
    const headEnd = text.indexOf("\r\n\r\n");
    if (headEnd === -1) return;
    const length = Number(/content-length: *(\d+)/i.exec(text)?.[1] ?? 0);
    const end = headEnd + 4 + length;
    if (text.length < end) return;
    const body = Buffer.from(text.slice(headEnd + 4, end), "latin1").toString("utf8");
    text = text.slice(end);
    const { messages } = JSON.parse(body) as { messages: Message[] };
    const wanted = readWish(textOf(messages.findLast(({ role }) => role === "user")?.content));
    if (wanted.kind === "tools" && messages.at(-1)?.role !== "tool") {
      socket.write(toolCallsBody());
      return;
    }
    if (wanted.kind === "paced") return answerPaced(socket, wanted);
    unanswered += 1;
    answerFast(socket, wanted)
      .catch(() => socket.destroy())
      .finally(() => {
        unanswered -= 1;
      });
  });
}

interface Message {
  readonly role: string;
  readonly content: unknown;
}

function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  const [part] = content as { text: string }[];
  return part?.text ?? "";
}

const server = createServer(serve);
server.listen(0, "127.0.0.1");
await once(server, "listening");

serveCommands({
  url: () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
  eventsPerWrite: (events: number) => {
    eventsPerWrite = events;
  },
  /** Fast answers that are not written to their end. */
  unanswered: () => unanswered,
  cpu: () => process.cpuUsage(),
});
