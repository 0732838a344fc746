/** The tools of the agent that ships: a calculator, the time, and a search over our documents. */
import { tool } from "langchain";
import { z } from "zod";
import { calculate, formatNumber } from "./calculator.ts";
import { ownDocuments } from "./own-documents.ts";

const passagesFound = 3;

export const calculatorTool = tool(({ expression }) => calculatorAnswer(expression), {
  name: "calculator",
  description:
    "Computes an arithmetic expression with + - * / % ^, parentheses, pi, e, sqrt, abs, round, floor, ceil, ln, log, sin, cos, tan, min and max.",
  schema: z.object({ expression: z.string().describe("For example: (2 + 3) * 4") }),
});

export const timeTool = tool(({ timeZone }) => timeAnswer(timeZone ?? "UTC", new Date()), {
  name: "time",
  description: "Tells the date and the time of now in a time zone.",
  schema: z.object({
    timeZone: z.string().optional().describe("An IANA time zone, for example Asia/Tokyo"),
  }),
});

export const searchTool = tool(({ query }) => searchAnswer(query), {
  name: "search",
  description: "Searches the documents of Langwire, the server that runs this conversation.",
  schema: z.object({ query: z.string().describe("A few words") }),
});

/** The tool does not fail for a wrong expression: it answers what is wrong, for the model to correct. */
function calculatorAnswer(expression: string): string {
  try {
    return formatNumber(calculate(expression));
  } catch (error) {
    return `Not computed: ${error instanceof Error ? error.message : error}`;
  }
}

function timeAnswer(timeZone: string, now: Date): string {
  try {
    const format = new Intl.DateTimeFormat("en-GB", {
      timeZone,
      dateStyle: "full",
      timeStyle: "long",
    });
    return `${format.format(now)} (${timeZone})`;
  } catch {
    return `There is no time zone "${timeZone}". Use an IANA name such as Europe/Berlin.`;
  }
}

function searchAnswer(query: string): string {
  const hits = ownDocuments().search(query, passagesFound);
  if (hits.length === 0) return "Nothing in the documents fits these words.";
  return hits.map(({ source, heading, text }) => `## ${heading} (${source})\n${text}`).join("\n\n");
}
