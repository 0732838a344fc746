/** The cells that differ today. Whatever is listed must differ: a cell that is right comes off. */
interface Difference {
  /** Without one: of every package that has the cell. */
  readonly row?: string;
  readonly column: string;
  readonly why: string;
  /** Where the package's own fault is reported, or was mended elsewhere. */
  readonly upstream?: string;
}

const fold = "the text of a call that asks for a tool vanishes";
const structured = "JSON that only a program reads is shown as text";
const stray = "the package leaves a rejected promise to the process";

export const knownDifferences: readonly Difference[] = [
  { column: "empty last word", why: "an empty last word takes away what was said before" },
  { column: "stop in a tool", why: fold },
  { column: "jsonSchema", why: structured },
  { column: "jsonMode", why: structured },
  { row: "ChatAnthropic", column: "functionCalling", why: "the package fails when it streams" },
  { column: "400", why: "a request that can never succeed is told as retryable" },
  { row: "ChatOllama", column: "401", why: "the package's status_code is not read" },
  { row: "ChatOllama", column: "404", why: "the package's status_code is not read" },
  { row: "ChatOllama", column: "429", why: "the package's status_code is not read" },
  { row: "ChatGroq", column: "usage", why: "the package keeps it in response_metadata alone" },
  {
    row: "ChatGroq",
    column: "reasoning",
    why: "the package drops `delta.reasoning`; its Python sister was mended",
    upstream: "https://github.com/langchain-ai/langchain/pull/31662",
  },
  {
    row: "ChatAnthropic",
    column: "usage",
    why: "the package adds up counts that are cumulative",
    upstream: "https://github.com/langchain-ai/langchainjs/issues/10249",
  },
  { row: "ChatGoogleGenerativeAI", column: "cut", why: stray },
  { row: "ChatGoogleGenerativeAI", column: "stop in text", why: stray },
  { row: "ChatGoogleGenerativeAI", column: "stop in arguments", why: stray },
];
