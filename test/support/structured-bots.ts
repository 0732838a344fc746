/**
 * Bots that answer one and the same object, each by another of LangChain's ways to get one out of a model:
 * the real `ChatOpenAI`, which asks a mock provider.
 */
import { RunnableLambda } from "@langchain/core/runnables";
import { tool } from "@langchain/core/tools";
import { ChatOpenAI } from "@langchain/openai";
import { createAgent, providerStrategy, toolStrategy } from "langchain";
import { z } from "zod";
import { defineBot } from "../../src/bots/bot.ts";
import type { MockProvider } from "./mock-provider.ts";

export const invoiceInput = z.object({
  file: z.string().min(1),
  currency: z.enum(["EUR", "JPY"]).default("EUR"),
});
export const invoiceOutput = z.object({ total: z.number(), lines: z.array(z.string()) });
export const invoice = { total: 42, lines: ["炭酸水", 'a "quoted" one'] };

const described = { title: "Invoice", description: "Reads invoices.", input: invoiceInput };
const question = ({ file, currency }: z.infer<typeof invoiceInput>) => `${file} in ${currency}`;
const asked = RunnableLambda.from(question);
/** An agent, asked in a message: by itself it knows no other inputs. */
const asking = (agent: Pick<ReturnType<typeof createAgent>, "invoke">) =>
  RunnableLambda.from((input: z.infer<typeof invoiceInput>, config) =>
    agent.invoke({ messages: [{ role: "user", content: question(input) }] }, config),
  );

const weigh = tool(() => "light", {
  name: "weigh",
  description: "Weighs a file",
  schema: z.object({ file: z.string() }),
});

const tools = [weigh];

export function structuredBots({ baseUrl }: Pick<MockProvider, "baseUrl">) {
  const model = new ChatOpenAI({
    model: "gpt-4.1-mini",
    apiKey: "test-key",
    maxRetries: 0,
    configuration: { baseURL: baseUrl },
  });
  const byProvider = createAgent({ model, tools, responseFormat: providerStrategy(invoiceOutput) });
  const byTool = createAgent({ model, tools, responseFormat: toolStrategy(invoiceOutput) });
  const typed = { ...described, output: invoiceOutput };
  return [
    defineBot({ ...typed, id: "provider", runnable: asking(byProvider) }),
    defineBot({ ...typed, id: "tool", runnable: asking(byTool) }),
    defineBot({
      ...typed,
      id: "structured",
      runnable: asked.pipe(model.withStructuredOutput(invoiceOutput)),
    }),
    defineBot({
      ...typed,
      id: "functionCalling",
      runnable: asked.pipe(
        model.withStructuredOutput(invoiceOutput, { method: "functionCalling", name: "invoice" }),
      ),
    }),
    defineBot({
      ...typed,
      id: "lambda",
      runnable: RunnableLambda.from(({ file }: { file: string }) =>
        file === "none" ? { total: "none" } : invoice,
      ),
    }),
  ] as const;
}

/** How the provider answers each of them, character by character, as models may. */
export function answerOf(botId: string, value: object): Parameters<MockProvider["answerAll"]>[0] {
  const json = JSON.stringify(value);
  const called = (name: string) => ({
    steps: [{ toolCall: name, args: value, argsInPieces: json.length }],
  });
  switch (botId) {
    case "tool":
      return ({ request: { tools = [] } }) =>
        called(tools.find((one) => one.function.name !== "weigh")?.function.name ?? "");
    case "functionCalling":
      return called("invoice");
    default:
      return { steps: [...json] };
  }
}
