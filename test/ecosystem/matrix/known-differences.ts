/** The cells that differ today. Whatever is listed must differ: a cell that is right comes off. */
interface Difference {
  /** Without one: of every package that has the cell. */
  readonly row?: string;
  readonly column: string;
  readonly why: string;
  /** Where the package's own fault is reported, or the same fault of another package was mended. */
  readonly upstream?: string;
}

export const knownDifferences: readonly Difference[] = [
  {
    row: "ChatGoogleGenerativeAI",
    column: "a call while it is written",
    why: "the package calls back with the text alone; the call is seen once it is whole",
  },
  {
    row: "ChatOpenAI, completions",
    column: "source",
    why: "the package drops `delta.annotations`; `createModel` and `EventCompletions` read them",
    upstream: "https://github.com/openai/openai-agents-js/pull/1617",
  },
  {
    row: "ChatOpenAI, completions",
    column: "refusal",
    why: "the package drops `delta.refusal`, as its Python sister does; `createModel` and `EventCompletions` read it",
    upstream: "https://github.com/langchain-ai/langchain/issues/39747",
  },
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
];
