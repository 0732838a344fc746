/** What tools return besides their text: artifacts, images and files, sources. */
import { Document } from "@langchain/core/documents";
import { FakeRetriever } from "@langchain/core/utils/testing";
import { Annotation, MessagesAnnotation, StateGraph } from "@langchain/langgraph";
import { createAgent, tool } from "langchain";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { Expose } from "../../src/bots/bot.ts";
import { bounded } from "../../src/bots/run/event-bounds.ts";
import type { SpanEvent } from "../../src/bots/run/run-bot.ts";
import type { EventOf } from "../../src/protocol/events.ts";
import { scriptedModel } from "../../src/testing/scripted-model.ts";
import { transcriptOf } from "./transcript.ts";

/** The end of a tool that an agent calls. */
async function endOf(
  returned: unknown,
  settings: { expose?: Expose; format?: "content" | "content_and_artifact"; calls?: number } = {},
): Promise<EventOf<"toolEnd">[]> {
  const { expose = "tools", format = "content", calls = 1 } = settings;
  const give = tool(() => returned as string, {
    ...{ name: "give", description: "", schema: z.object({}), responseFormat: format },
  });
  const asking = Array.from({ length: calls }, () => ({ toolCalls: [{ name: "give", args: {} }] }));
  const model = scriptedModel([...asking, { tokens: ["Done."] }]);
  const { events, outcome } = await transcriptOf({
    runnable: createAgent({ model, tools: [give] }),
    expose,
  });
  expect(outcome.status).toBe("completed");
  return events.filter((event) => event.type === "toolEnd");
}

const png = Buffer.from("not really a picture".repeat(600));
const data = png.toString("base64");
const url = `data:image/png;base64,${data}`;
const picture = { type: "file", kind: "image", mimeType: "image/png", bytes: png.length, url };

describe("a file is whole, as a `data:` URL, in the shape of", () => {
  const pdf = { type: "file", kind: "file", mimeType: "application/pdf", bytes: 3, name: "a.pdf" };
  const pdfUrl = "data:application/pdf;base64,cGRm";
  const shapes: readonly [string, object, object][] = [
    ["LangChain", { type: "image", mimeType: "image/png", data }, picture],
    [
      "LangChain, as it was",
      { type: "image", source_type: "base64", mime_type: "image/png", data },
      picture,
    ],
    [
      "LangChain, raw bytes",
      { type: "image", mimeType: "image/png", data: new Uint8Array(png) },
      picture,
    ],
    ["OpenAI", { type: "image_url", image_url: { url } }, picture],
    ["OpenAI's responses", { type: "input_image", image_url: url }, picture],
    [
      "OpenAI's files",
      { type: "file", file: { filename: "a.pdf", file_data: pdfUrl } },
      { ...pdf, url: pdfUrl },
    ],
    [
      "OpenAI's audio",
      { type: "input_audio", input_audio: { data: "AAAA", format: "wav" } },
      {
        ...{ type: "file", kind: "audio", mimeType: "audio/wav", bytes: 3 },
        url: "data:audio/wav;base64,AAAA",
      },
    ],
    [
      "Anthropic",
      { type: "image", source: { type: "base64", media_type: "image/png", data } },
      picture,
    ],
    [
      "Anthropic's documents",
      {
        ...{ type: "document", title: "a.pdf" },
        source: { type: "base64", media_type: "application/pdf", data: "cGRm" },
      },
      { ...pdf, url: pdfUrl },
    ],
    ["MCP", { type: "image", mimeType: "image/png", data }, picture],
    [
      "MCP's resources",
      {
        type: "resource",
        resource: { uri: "shop:///all/a%20b.png?v=1#top", mimeType: "image/png", blob: data },
      },
      { ...picture, name: "a b.png" },
    ],
    [
      "a resource whose address cannot be decoded",
      {
        type: "resource",
        resource: { uri: "shop:///%E0%A4%A", mimeType: "image/png", blob: data },
      },
      { ...picture, name: "%E0%A4%A" },
    ],
    [
      "a resource whose address ends in no name",
      { type: "resource", resource: { uri: "shop://", mimeType: "image/png", blob: data } },
      picture,
    ],
    [
      "an address",
      { type: "image", url: "https://example.com/a.png" },
      { type: "file", kind: "image", url: "https://example.com/a.png" },
    ],
    [
      "an address that is the server's own",
      { type: "resource_link", uri: "file:///etc/passwd", name: "passwd", mimeType: "text/plain" },
      { type: "file", kind: "file", mimeType: "text/plain", name: "passwd" },
    ],
    [
      "a type that is none",
      { type: "file", mimeType: "text/html,<script>", data: "AAAA" },
      {
        ...{ type: "file", kind: "file", mimeType: "text/html,<script>", bytes: 3 },
        url: "data:application/octet-stream;base64,AAAA",
      },
    ],
    [
      "bytes that are none",
      { type: "image", mimeType: "image/png", data: "<script>" },
      expect.not.objectContaining({ url: expect.anything() }),
    ],
  ];
  test.each(shapes)("%s", async (_shape, block, file) => {
    const [end] = await endOf([{ type: "text", text: "Here." }, block]);
    expect(end?.content).toEqual([file]);
    expect(JSON.stringify(end?.output)).toContain("Here.");
    expect(JSON.stringify(end?.output ?? "")).not.toContain(data.slice(0, 100));
  });

  test("MCP, beside the text: among the artifacts", async () => {
    const resource = {
      type: "resource",
      resource: { uri: "x", mimeType: "image/png", blob: data },
    };
    const [end] = await endOf(["Here.", [resource]], { format: "content_and_artifact" });
    expect(end).toMatchObject({ output: "Here.", content: [picture] });
    expect(JSON.stringify(end?.artifact).length).toBeLessThan(9_000);
  });
});

describe("files are bounded", () => {
  const image = (bytes: number) => ({
    ...{ type: "image", mimeType: "image/png", metadata: { name: "a.png" } },
    data: Buffer.alloc(bytes).toString("base64"),
  });
  const MiB = 1024 * 1024;
  const isWhole = ({ content }: EventOf<"toolEnd">) =>
    content?.map((one) => one.type === "file" && one.url !== undefined);

  test("one of more than 1 MiB goes out by its name", async () => {
    const [whole] = await endOf([image(MiB)]);
    expect(whole?.content?.[0]).toMatchObject({ bytes: MiB, url: expect.any(String) });
    const [end] = await endOf([image(MiB + 1)]);
    expect(end?.content?.[0]).toEqual({
      ...{ type: "file", kind: "image", mimeType: "image/png", bytes: MiB + 1, name: "a.png" },
    });
  });

  test("together to half of what the run may hold, whoever of its tools gives them", async () => {
    const ends = await endOf([image(MiB / 2 - 100)], { calls: 4 });
    expect(ends.map(isWhole)).toEqual([[true], [true], [true], [false]]);
  });

  test("no event but a tool's end has one", () => {
    const span = { runId: "r", spanId: "s", at: "t" };
    const file = {
      type: "file" as const,
      kind: "image" as const,
      url: `data:,${"x".repeat(9_000)}`,
    };
    const whole = { type: "toolEnd" as const, ...span, content: [file] };
    expect(bounded(whole)).toEqual(whole);
    const cut = bounded({ type: "llmEnd", ...span, content: [file] });
    expect(JSON.stringify(cut).length).toBeLessThan(8_200);
    const named = bounded({ ...whole, content: [{ ...file, name: "n".repeat(1_000) }] });
    expect(JSON.stringify(named)).toContain("cut: 800 characters");
  });
});

describe("an artifact", () => {
  test("is beside the output", async () => {
    const [end] = await endOf(["Two rows.", { rows: [1, 2] }], { format: "content_and_artifact" });
    expect(end).toMatchObject({ output: "Two rows.", artifact: { rows: [1, 2] } });
    expect(end?.content).toBeUndefined();
  });

  test("that is documents is sources", async () => {
    const documents = [
      new Document({
        id: "d1",
        pageContent: "Soda.",
        metadata: { source: "https://example.com/a" },
      }),
      new Document({ pageContent: "Foam.", metadata: { source: "b.txt", title: "B" } }),
    ];
    const sources = [
      {
        type: "source",
        url: "https://example.com/a",
        title: "https://example.com/a",
        documentId: "d1",
        quote: "Soda.",
      },
      { type: "source", title: "B", quote: "Foam." },
    ];
    for (const artifact of [documents, { context: documents }]) {
      const [end] = await endOf(["Found.", artifact], { format: "content_and_artifact" });
      expect(end?.content).toEqual(sources);
    }
    const many = Array.from({ length: 250 }, () => documents[0]);
    const [end] = await endOf(["Found.", many], { format: "content_and_artifact" });
    expect(end?.content).toHaveLength(101);
    expect(end?.content?.at(-1)).toEqual({ type: "other", name: "…[cut: 150 items]" });
  });

  test.each<[Expose, boolean]>([
    ["none", false],
    ["root", false],
    ["tools", true],
    ["all", true],
  ])("goes out where tools' payloads do, as files and sources do: %s", async (expose, shown) => {
    const block = { type: "image", mimeType: "image/png", data };
    const artifact = [new Document({ pageContent: "Soda.", metadata: {} })];
    const [end] = await endOf([[block], artifact], { expose, format: "content_and_artifact" });
    expect(["output", "artifact", "content"].filter((key) => key in (end ?? {}))).toEqual(
      shown ? ["output", "artifact", "content"] : [],
    );
  });
});

test("a file is in the tool's end alone, also where all spans are shown", async () => {
  const give = tool(() => [{ type: "image", mimeType: "image/png", data }], {
    ...{ name: "give", description: "", schema: z.object({}) },
  });
  const model = scriptedModel([{ toolCalls: [{ name: "give", args: {} }] }, { tokens: ["Done."] }]);
  const runnable = createAgent({ model, tools: [give] });
  const { events } = await transcriptOf({ runnable, expose: "all" });
  const holding = events.filter((event) => JSON.stringify(event).includes(data.slice(0, 200)));
  expect(holding.map(({ type }) => type)).toEqual(["toolEnd"]);
});

describe("what throws where it is read costs its own value, and no end of a span:", () => {
  const thrower = (name: string) =>
    Object.defineProperty({ ok: 1 }, name, {
      enumerable: true,
      get() {
        throw new Error("odd");
      },
    });
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  const holed = Object.defineProperty([1], 1, {
    get() {
      throw new Error("odd");
    },
  });

  test.each<[string, unknown, unknown]>([
    ["a getter", thrower("rows"), { ok: 1, rows: "…[unreadable]" }],
    ["an entry of a list", holed, "…[unreadable]"],
    ["a proxy", revoked.proxy, "…[unreadable]"],
    [
      "a document's field",
      [{ pageContent: "text", metadata: thrower("url") }],
      [{ pageContent: "text", metadata: { ok: 1, url: "…[unreadable]" } }],
    ],
  ])("in an artifact, %s", async (_what, artifact, shown) => {
    const ends = await endOf(["told", artifact], { format: "content_and_artifact" });
    expect(ends).toMatchObject([{ output: "told", artifact: shown }]);
  });

  test("in a block of what a tool returned", async () => {
    const block = Object.assign(thrower("data"), { type: "image" });
    const ends = await endOf([{ type: "text", text: "told" }, block]);
    expect(ends).toMatchObject([{ output: [{ text: "told" }, { data: "…[unreadable]" }] }]);
  });

  test("in a document that a retriever found", async () => {
    const found = [new Document({ pageContent: "one" }), thrower("pageContent")];
    const runnable = new FakeRetriever({ output: found as Document[] });
    const { events } = await transcriptOf({
      ...{ runnable, expose: "tools" },
      input: ({ message }) => message,
    });
    expect(events.find(({ type }) => type === "retrieverEnd")).toMatchObject({
      documents: [{ text: "one" }, { text: "" }],
    });
  });

  const spanIdOf = (event: SpanEvent | undefined) =>
    event !== undefined && "spanId" in event ? event.spanId : undefined;

  test("in a state in which messages are looked for", async () => {
    const model = scriptedModel([{ toolCalls: [{ name: "give", args: {}, id: "c1" }] }]);
    const graph = new StateGraph(
      Annotation.Root({ ...MessagesAnnotation.spec, output: Annotation }),
    )
      .addNode("ask", async ({ messages }, config) => {
        await model.invoke(messages, config);
        return { output: thrower("messages") };
      })
      .addEdge("__start__", "ask")
      .compile();
    const { events } = await transcriptOf({
      ...{ runnable: graph, expose: "all" },
      output: () => "Done.",
    });
    const node = events.find((event) => event.type === "chainStart" && event.name === "ask");
    const end = events.find(
      (event) => event.type === "chainEnd" && event.spanId === spanIdOf(node),
    );
    expect(end).toMatchObject({ output: { output: { ok: 1, messages: "…[unreadable]" } } });
  });
});
