/** What models give besides text: named in `llmEnd`, in the shapes of the packages that give it. */
import { expect, test } from "vitest";
import { type Piece, ShapedModel } from "../support/shaped-model.ts";
import { type TranscriptOptions, transcriptOf } from "./transcript.ts";

const png = Buffer.from("a picture").toString("base64");
const image = { type: "file", kind: "image", mimeType: "image/png", bytes: 9 };

type Row = readonly [of: string, piece: Piece, content: readonly object[] | undefined];
const blocks = (...content: readonly Record<string, unknown>[]): Piece => ({
  message: { content: content as never },
});

const rows: readonly Row[] = [
  ["text alone", { message: { content: "Yes." } }, undefined],
  [
    "nothing to see: thinking, signatures, calls of the bot's tools",
    blocks(
      { type: "thinking", thinking: "Well." },
      { type: "redacted_thinking", data: "x" },
      { type: "tool_use", id: "1", name: "save", input: {} },
      { type: "functionCall", functionCall: {} },
    ),
    undefined,
  ],
  ["LangChain's image", blocks({ type: "image", mimeType: "image/png", data: png }), [image]],
  [
    "LangChain's file by URL",
    blocks({ type: "file", mimeType: "application/pdf", url: "https://x.test/a.pdf" }),
    [{ type: "file", kind: "file", mimeType: "application/pdf", url: "https://x.test/a.pdf" }],
  ],
  [
    "OpenAI's image as a data URL",
    blocks({ type: "image_url", image_url: { url: `data:image/png;base64,${png}` } }),
    [image],
  ],
  [
    "Anthropic's image",
    blocks({ type: "image", source: { type: "base64", media_type: "image/png", data: png } }),
    [image],
  ],
  [
    "Gemini's image",
    blocks({ type: "inlineData", inlineData: { mimeType: "image/png", data: png } }),
    [image],
  ],
  [
    "images and sources beside the content, as chat completions have them",
    {
      message: {
        content: "Look.",
        additional_kwargs: {
          images: [{ type: "image_url", image_url: { url: `data:image/png;base64,${png}` } }],
          annotations: [
            { type: "url_citation", url_citation: { url: "https://x.test", title: "X" } },
          ],
        },
      },
    },
    [image, { type: "source", url: "https://x.test", title: "X" }],
  ],
  [
    "OpenAI's audio",
    { message: { additional_kwargs: { audio: { id: "a", data: png, transcript: "Hi." } } } },
    [{ type: "file", kind: "audio", bytes: 9 }],
  ],
  [
    "Anthropic's citations, each once",
    blocks(
      {
        type: "text",
        text: "A",
        citations: [{ url: "https://x.test", title: "X", cited_text: "a" }],
      },
      {
        type: "text",
        text: "B",
        citations: [{ url: "https://x.test", title: "X", cited_text: "a" }],
      },
      { type: "text", text: "C", citations: [{ document_title: "Notes", cited_text: "b" }] },
    ),
    [
      { type: "source", url: "https://x.test", title: "X", quote: "a" },
      { type: "source", title: "Notes", quote: "b" },
    ],
  ],
  [
    "OpenAI's annotations",
    blocks({
      type: "text",
      text: "A",
      annotations: [
        { type: "citation", source: "url_citation", url: "https://x.test", title: "X" },
        { type: "citation", source: "file_citation", title: "a.pdf" },
      ],
    }),
    [
      { type: "source", url: "https://x.test", title: "X" },
      { type: "source", title: "a.pdf" },
    ],
  ],
  [
    "Gemini's grounding",
    {
      message: { content: "A" },
      info: {
        groundingMetadata: { groundingChunks: [{ web: { uri: "https://x.test", title: "X" } }] },
        citationMetadata: { citationSources: [{ uri: "https://y.test" }] },
      },
    },
    [
      { type: "source", url: "https://x.test", title: "X" },
      { type: "source", url: "https://y.test" },
    ],
  ],
  [
    "Anthropic's web search",
    blocks(
      { type: "server_tool_use", id: "s1", name: "web_search", input: { query: "q" } },
      { type: "web_search_tool_result", tool_use_id: "s1", content: [{ url: "https://x.test" }] },
    ),
    [
      { type: "tool", name: "web_search", id: "s1", data: { input: { query: "q" } } },
      { type: "tool", name: "web_search_tool_result", id: "s1" },
    ],
  ],
  [
    "OpenAI's own tools, an image among them once",
    {
      message: {
        content: [{ type: "image", mimeType: "image/png", data: png }] as never,
        additional_kwargs: {
          tool_outputs: [
            { type: "web_search_call", id: "w1", action: { query: "q" } },
            { type: "image_generation_call", id: "i1", result: png },
          ],
        },
      },
    },
    [image, { type: "tool", name: "web_search_call", id: "w1", data: { action: { query: "q" } } }],
  ],
  [
    "Gemini's code",
    blocks(
      { type: "executableCode", executableCode: { language: "PYTHON", code: "1" } },
      { type: "codeExecutionResult", codeExecutionResult: { outcome: "OUTCOME_OK", output: "1" } },
    ),
    [
      { type: "tool", name: "executableCode", data: { language: "PYTHON", code: "1" } },
      { type: "tool", name: "codeExecutionResult", data: { output: "1" } },
    ],
  ],
  ["what nobody has heard of", blocks({ type: "hologram" }), [{ type: "other", name: "hologram" }]],
  [
    "and the same inside of a block that LangChain does not know",
    blocks({ type: "non_standard", value: { type: "hologram" } }),
    [{ type: "other", name: "hologram" }],
  ],
];

async function contentOf(piece: Piece, options: Partial<TranscriptOptions> = {}) {
  const end = { info: { finish_reason: "stop", ...piece.info } };
  const runnable = new ShapedModel({ provider: "custom", calls: [[piece, end]] });
  const { events } = await transcriptOf({ runnable, ...options });
  return events.flatMap((event) => (event.type === "llmEnd" ? [event.content] : []))[0];
}

test.each(rows)("%s", async (_of, piece, content) => {
  const told = await contentOf(piece, { expose: "tools" });
  if (content === undefined) expect(told).toBeUndefined();
  else {
    expect(told).toMatchObject(content);
    expect(told).toHaveLength(content.length);
  }
});

test("quotes and what tools did stay on the server where the bot's tools do", async () => {
  const cited = { url: "https://x.test", cited_text: "the secret" };
  const piece = blocks(
    { type: "text", text: "A", citations: [cited] },
    { type: "server_tool_use", id: "s1", name: "web_search", input: { query: "the secret" } },
  );
  expect(await contentOf(piece)).toEqual([
    { type: "source", url: "https://x.test" },
    { type: "tool", name: "web_search", id: "s1" },
  ]);
});

test("of a model that does not speak, nothing is told", async () => {
  const piece = blocks({ type: "image", mimeType: "image/png", data: png });
  expect(await contentOf(piece, { speaks: () => false })).toBeUndefined();
});

test("there is an end to it", async () => {
  const citations = Array.from({ length: 150 }, (_, at) => ({ url: `https://x.test/${at}` }));
  const content = await contentOf(blocks({ type: "text", text: "A", citations }));
  expect(content).toHaveLength(101);
  expect(content?.at(-1)).toEqual({ type: "other", name: "…[cut: 50 items]" });
});
