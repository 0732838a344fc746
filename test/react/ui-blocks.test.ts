/** What a message of the history is to the AI SDK, part by part. */
import { expect, test } from "vitest";
import { toUIMessages } from "../../client/src/ai-sdk/index.ts";
import { UiChunks } from "../../client/src/ai-sdk/ui-chunks.ts";
import type { ChatEvent, Message, Part } from "../../client/src/types.ts";

const message = (role: "human" | "ai", parts: readonly object[], more: object = {}) =>
  ({ runId: "r", role, text: "T", at: "", parts, ...more }) as Message;
const tool = (state: string, more: object = {}) => ({ type: "tool", name: "t", state, ...more });
const call = (id: string, more: object) => ({
  ...{ type: "dynamic-tool", toolCallId: id, toolName: "t", providerExecuted: true, input: {} },
  ...more,
});
const failed = (errorText: string) => ({ state: "output-error", errorText });
const document = (id: string, title: string, more: object = {}) => ({
  ...{ type: "source-document", sourceId: id, mediaType: "text/plain", title },
  ...more,
});
const quoted = (quote: string) => ({ providerMetadata: { langwire: { quote } } });

test.each<[string, readonly object[], readonly object[]]>([
  ["a text", [{ type: "text", text: "Hi" }], [{ type: "text", text: "Hi", state: "done" }]],
  [
    "reasoning, by its place",
    [
      { type: "text", text: "Hi" },
      { type: "reasoning", text: "Hm" },
    ],
    [
      { type: "text", text: "Hi", state: "done" },
      { type: "reasoning", id: "1", text: "Hm", state: "done" },
    ],
  ],
  [
    "a tool that gave nothing",
    [tool("done")],
    [call("tool 0", { state: "output-available", output: null })],
  ],
  [
    "a tool that gave something",
    [tool("done", { toolCallId: "c", input: { a: 1 }, output: 0 })],
    [call("c", { input: { a: 1 }, state: "output-available", output: 0 })],
  ],
  [
    "a tool that failed",
    [tool("failed", { spanId: "s", error: { message: "No." } })],
    [call("s", failed("No."))],
  ],
  [
    "a tool that failed without a word",
    [tool("failed")],
    [call("tool 0", failed("The tool failed."))],
  ],
  [
    "a tool that was stopped",
    [tool("stopped")],
    [call("tool 0", failed("The run ended before the tool did."))],
  ],
  ["a tool at work", [tool("running")], [call("tool 0", { state: "input-available" })]],
  [
    "calls of one id",
    ["done", "failed", "stopped"].map((state) => tool(state, { toolCallId: "c" })),
    [
      call("c", { state: "output-available", output: null }),
      call("c/2", failed("The tool failed.")),
      call("c/3", failed("The run ended before the tool did.")),
    ],
  ],
  [
    "pages, each once",
    ["https://a", "https://b", "https://a"].map((url) => ({
      type: "source",
      url,
      title: "A",
      quote: "q",
    })),
    ["https://a", "https://b"].map((url) => ({
      ...{ type: "source-url", sourceId: url, url, title: "A" },
      ...quoted("q"),
    })),
  ],
  [
    "documents, each its own",
    [
      { type: "source", documentId: "d", quote: "q" },
      { type: "source", title: "T" },
      { type: "source" },
    ],
    [document("d", "d", quoted("q")), document("source 1", "T"), document("source 2", "Document")],
  ],
  [
    "files",
    [
      { type: "file", kind: "image", url: "data:x" },
      { type: "file", kind: "file", url: "https://a" },
      { type: "file", kind: "audio", url: "https://b", mimeType: "audio/wav" },
      { type: "file", kind: "image", mimeType: "image/png", bytes: 3, name: "n" },
    ],
    [
      { type: "file", mediaType: "image/*", url: "data:x" },
      { type: "file", mediaType: "application/octet-stream", url: "https://a" },
      { type: "file", mediaType: "audio/wav", url: "https://b" },
      { type: "data-file", data: { kind: "image", mimeType: "image/png", bytes: 3, name: "n" } },
    ],
  ],
  [
    "data: of the state with an id, by which it is replaced",
    ["state", "custom", "writer"].map((origin) => ({ type: "data", name: "n", value: 1, origin })),
    [{ type: "data-n", id: "state/n", data: 1 }, ...Array(2).fill({ type: "data-n", data: 1 })],
  ],
  ["a part of a newer server's", [{ type: "smell" }], []],
])("%s", (_what, parts, made) => {
  const [given] = toUIMessages([message("ai", parts, { status: "completed", output: { n: 1 } })]);
  expect(given?.parts).toEqual([{ type: "step-start" }, ...made]);
  expect(given).toMatchObject({ id: "r", role: "assistant" });
  expect(given?.metadata).toEqual({
    runId: "r",
    status: "completed",
    usage: undefined,
    output: { n: 1 },
  });
});

test("what a person gave: a text, or to a typed bot a value", () => {
  const typed: Part = { type: "data", name: "input", value: { n: 1 }, origin: "input" };
  const parts = [[{ type: "text", text: "Hi", final: true }], [typed]];
  expect(toUIMessages(parts.map((one) => message("human", one)))).toEqual(
    [
      { type: "text", text: "Hi" },
      { type: "data-input", data: { n: 1 } },
    ].map((part) => ({
      ...{ id: "r/human", role: "user", metadata: { runId: "r" } },
      parts: [part],
    })),
  );
  // Servers that keep no parts have the text.
  const { parts: _, ...old } = message("human", []);
  expect(toUIMessages([old as Message])[0]?.parts).toEqual([{ type: "text", text: "T" }]);
});

test("what was told is not told again, whatever comes behind it, and a text that fails is closed", () => {
  const of = { runId: "r", spanId: "m", at: "" };
  const state = (value: number) => ({ type: "state", ...of, spanId: "c", channel: "n", value });
  const token = { type: "token", ...of, text: "x" };
  const events: [object, readonly string[]][] = [
    [{ type: "runStart", ...of, message: "Hi" }, ["start", "start-step"]],
    [{ type: "chainStart", ...of, spanId: "c", name: "chain" }, []],
    [{ type: "custom", ...of, spanId: "c", name: "own", data: 1 }, ["data-own"]],
    [state(1), ["data-n"]],
    [{ type: "llmStart", ...of, name: "model" }, []],
    [token, ["text-start", "text-delta"]],
    [token, ["text-delta"]],
    [state(1), []],
    [state(2), ["data-n"]],
    [token, ["text-delta"]],
    [{ type: "error", ...of, source: "llm", code: "PROVIDER_ERROR", message: "No." }, ["text-end"]],
    [{ type: "llmStart", ...of, spanId: "m2", name: "model" }, []],
    [{ ...token, spanId: "m2" }, ["text-start", "text-delta"]],
    [
      { type: "runEnd", ...of, status: "cancelled", text: "x" },
      ["text-end", "message-metadata", "abort"],
    ],
  ];
  const chunks = new UiChunks();
  const told = events.map(([event]) => chunks.add(event as ChatEvent).map(({ type }) => type));
  expect(told).toEqual(events.map(([, types]) => types));
});

test("a text whose place is before others that were told is told anew with them, and goes on there", () => {
  const of = (spanId: string) => ({ runId: "r", spanId, at: "" });
  const says = (spanId: string, text: string) => ({ type: "token", ...of(spanId), text });
  const chunks = new UiChunks();
  const told = (event: object) =>
    chunks.add(event as ChatEvent).map((chunk) => {
      const { type, id, delta } = chunk as { type: string; id?: string; delta?: string };
      return [type, id, delta].filter((one) => one !== undefined).join(" ");
    });
  for (const spanId of ["before", "a", "b"]) told({ type: "llmStart", ...of(spanId), name: "m" });
  for (const event of [says("before", "One"), says("a", ""), says("b", "Two")]) told(event);
  expect(told(says("a", "Three"))).toEqual([
    ...["reset-step", "text-start 0", "text-delta 0 One", "text-start 1", "text-delta 1 Three"],
    ...["text-start 2", "text-delta 2 Two"],
  ]);
  for (const round of [1, 2]) {
    expect(told(says("a", `${round}`))).toEqual([`text-delta 1 ${round}`]);
    expect(told(says("b", `${round}`))).toEqual([`text-delta 2 ${round}`]);
    expect(told(says("before", `${round}`))).toEqual([`text-delta 0 ${round}`]);
  }
});

test("a tool reports while it works, and no more once it has ended", () => {
  const of = { runId: "r", spanId: "t", at: "" };
  const chunks = new UiChunks();
  const told = (event: object) => chunks.add(event as ChatEvent).map(({ type }) => type);
  const reports = { type: "toolProgress", ...of, data: 1 };
  expect(told(reports)).toEqual([]);
  expect(told({ type: "toolStart", ...of, name: "t" })).toEqual(["tool-input-available"]);
  expect(told(reports)).toEqual(["tool-output-available"]);
  expect(told({ ...reports, spanId: "other" })).toEqual([]);
  expect(told({ type: "toolEnd", ...of, output: 2 })).toEqual(["tool-output-available"]);
  expect(told(reports)).toEqual([]);
});
