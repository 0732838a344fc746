/**
 * What a streamed token costs in CPU, from the provider's socket to a callback handler: prompt →
 * ChatOpenAI → StringOutputParser, against a provider in another process. All ways are measured in
 * turn in one run, because only their ratio says something on a machine that does other work too.
 *
 *   node bench/event-fetch.ts [rounds=5] [saturated|paced|all]
 */
import { type ChildProcess, execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import { StringOutputParser } from "@langchain/core/output_parsers";
import { ChatPromptTemplate } from "@langchain/core/prompts";
import { ChatOpenAI, type ChatOpenAIFields } from "@langchain/openai";
import { EventCompletions } from "../src/bots/provider/event-completions.ts";
import { createEventFetch } from "../src/event-fetch/event-fetch.ts";

const tokensPerAnswer = 300;
const paceMs = 50;
const words = ["Soda", " water", " is", " water", " with", " bubbles", ",", " 炭酸", "水", "."];
const wordAt = (index: number): string => words[index % words.length] ?? "";

/** How the provider sends an answer. */
type Delivery =
  /** All events in one write. */
  | "together"
  /** An event a write, as fast as it can. */
  | "apart"
  /** An event each `paceMs`. */
  | "paced";

interface Load {
  readonly delivery: Delivery;
  readonly runs: number;
  readonly answers: number;
}

const saturated: Load[] = (["together", "apart"] as const).flatMap((delivery) =>
  [1, 16, 128].map((runs) => ({ delivery, runs, answers: Math.max(100, runs) })),
);
const paced: Load[] = [{ delivery: "paced", runs: 300, answers: 300 }];

class Counter extends BaseCallbackHandler {
  readonly name = "counter";
  readonly lc_prefer_streaming = true;
  characters = 0;

  constructor() {
    super({ _awaitHandler: true });
  }

  override handleLLMNewToken(token: string): void {
    this.characters += token.length;
  }
}

const eventFetch = createEventFetch();

/** The first is what the others are compared with. */
const ways: Record<string, (fields: ChatOpenAIFields) => ChatOpenAI> = {
  "stock fetch": (fields) => new ChatOpenAI(fields),
  "event fetch": (fields) => new ChatOpenAI(withFetch(fields)),
  "event fetch and completions": (fields) => {
    const own = withFetch(fields);
    return new ChatOpenAI({ ...own, completions: new EventCompletions(own) });
  },
};

function withFetch(fields: ChatOpenAIFields): ChatOpenAIFields {
  return { ...fields, configuration: { ...fields.configuration, fetch: eventFetch } };
}

/** CPU microseconds a token, of this whole process. */
async function measure(model: ChatOpenAI, { runs, answers }: Load): Promise<number> {
  const chain = ChatPromptTemplate.fromTemplate("{question}")
    .pipe(model)
    .pipe(new StringOutputParser());
  const counter = new Counter();
  let left = answers;
  const run = async (): Promise<void> => {
    while (left-- > 0) await chain.invoke({ question: "Why?" }, { callbacks: [counter] });
  };
  const before = process.cpuUsage();
  await Promise.all(Array.from({ length: runs }, run));
  const { user, system } = process.cpuUsage(before);
  // Text that arrives together may be one token to LangChain: what was sent is what counts.
  const sent = Array.from({ length: tokensPerAnswer }, (_, at) => wordAt(at)).join("");
  if (counter.characters !== answers * sent.length) throw new Error("Some tokens are missing.");
  return (user + system) / (answers * tokensPerAnswer);
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1] ?? Number.NaN;
}

async function compare(port: number, load: Load, rounds: number): Promise<void> {
  const costs = Object.keys(ways).map((): number[] => []);
  // The first round warms up. Each round begins with another way.
  for (let round = 0; round <= rounds; round++) {
    for (let turn = 0; turn < costs.length; turn++) {
      const index = (round + turn) % costs.length;
      const make = Object.values(ways)[index];
      const model = make?.({
        model: "gpt-4.1-mini",
        apiKey: "none",
        temperature: 0,
        configuration: { baseURL: `http://127.0.0.1:${port}/${load.delivery}` },
      });
      if (model === undefined) continue;
      const cost = await measure(model, load);
      if (round > 0) costs[index]?.push(cost);
    }
  }
  const stock = median(costs[0] ?? []);
  console.log(`${load.delivery}, ${load.runs} runs`);
  for (const [index, name] of Object.keys(ways).entries()) {
    const cost = median(costs[index] ?? []);
    const ratio = (cost / stock).toFixed(2);
    console.log(`  ${name.padEnd(28)} ${cost.toFixed(1).padStart(6)} µs a token   × ${ratio}`);
  }
}

/** In a process of its own, on the last core where that can be said. */
async function startProvider(): Promise<{ process: ChildProcess; port: number }> {
  const child = fork(import.meta.filename, ["provider"]);
  try {
    const lastCore = String(navigator.hardwareConcurrency - 1);
    execFileSync("taskset", ["-cp", lastCore, String(child.pid)], { stdio: "ignore" });
  } catch {
    console.log("(taskset is not there: provider and bench may share a core)");
  }
  const [port] = await once(child, "message");
  return { process: child, port };
}

function serveAsProvider(): void {
  const event = (choices: object[], usage: object | null = null): string =>
    `data: ${JSON.stringify({
      id: "chatcmpl-0123456789abcdefghijklmnop",
      object: "chat.completion.chunk",
      created: 1_763_000_000,
      model: "gpt-4.1-mini-2025-04-14",
      service_tier: "default",
      system_fingerprint: "fp_0123456789",
      choices,
      usage,
    })}\n\n`;
  const choice = (delta: object, finish: string | null = null): object => {
    return { index: 0, delta, logprobs: null, finish_reason: finish };
  };
  const usage = { prompt_tokens: 9, completion_tokens: tokensPerAnswer, total_tokens: 309 };
  const events = [
    event([choice({ role: "assistant", content: "", refusal: null })]),
    ...Array.from({ length: tokensPerAnswer }, (_, index) =>
      event([choice({ content: wordAt(index) })]),
    ),
    event([choice({}, "stop")]),
    event([], usage),
    "data: [DONE]\n\n",
  ];
  const server = createServer((request, response) => {
    request.resume();
    request.on("end", () => {
      response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
      const delivery = request.url?.split("/")[1];
      if (delivery === "together") return response.end(events.join(""));
      const rest = events.values();
      const writeNext = (): boolean => {
        const next = rest.next();
        if (next.done) response.end();
        else response.write(next.value);
        return next.done !== true;
      };
      if (delivery === "apart") while (writeNext());
      const timer = setInterval(() => writeNext() || clearInterval(timer), paceMs);
      response.on("close", () => clearInterval(timer));
      return undefined;
    });
  });
  server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
  process.on("disconnect", () => process.exit());
}

if (process.argv[2] === "provider") serveAsProvider();
else {
  const rounds = Number(process.argv[2] ?? 5);
  const which = process.argv[3] ?? "all";
  const provider = await startProvider();
  if (which !== "paced") {
    for (const load of saturated) await compare(provider.port, load, rounds);
  }
  if (which !== "saturated") {
    for (const load of paced) await compare(provider.port, load, rounds);
  }
  await eventFetch.close();
  provider.process.disconnect();
}
