/** What comes beside the text of a streamed chat completion: pictures as OpenRouter sends them, sources as OpenAI. */
import { expect, test } from "vitest";
import { createModel } from "../../src/shipped/model.ts";
import { startMockProvider } from "../support/mock-provider.ts";
import { transcriptOf } from "./transcript.ts";

const delta = (fields: object): Uint8Array => {
  const choices = [{ index: 0, delta: { content: "", ...fields }, finish_reason: null }];
  return Buffer.from(`data: ${JSON.stringify({ id: "1", model: "m", choices })}\n\n`);
};

test.each([
  [
    "an image",
    {
      images: [
        { type: "image_url", index: 0, image_url: { url: "data:image/gif;base64,R0lGOA==" } },
      ],
    },
    { type: "file", kind: "image", mimeType: "image/gif", bytes: 4 },
  ],
  [
    "a source",
    {
      annotations: [{ type: "url_citation", url_citation: { url: "https://x.test", title: "X" } }],
    },
    { type: "source", url: "https://x.test", title: "X" },
  ],
])("createModel: %s is told, and the answer goes on", async (_of, fields, content) => {
  await using provider = await startMockProvider();
  provider.answer({ steps: ["Look: ", delta(fields), "there."] });
  const runnable = await createModel({
    model: "openai:test-model",
    openaiApiKey: "key",
    openaiBaseUrl: provider.baseUrl,
  });
  const { outcome, events } = await transcriptOf({ runnable });
  expect(outcome).toEqual({ status: "completed", text: "Look: there." });
  expect(events.find(({ type }) => type === "llmEnd")).toMatchObject({ content: [content] });
});
