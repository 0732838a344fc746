import { describe, expect, test } from "vitest";
import { Renderer } from "../../client/src/cli/render.ts";
import { renderMessage } from "../../client/src/cli/render-message.ts";
import type { Paint } from "../../client/src/cli/styles.ts";
import type { ChatEvent, Message } from "../../client/src/index.ts";

const at = "2026-11-23T07:00:00.000Z";
const runId = "0b0e7f62-6a3e-4b7e-9a36-0d6d3c0a6a10";
const inSpan = (spanId: string) => ({ runId, spanId });
const usage = { inputTokens: 5, outputTokens: 4, totalTokens: 9 };

const marked: Paint = (style, text) => `<${style}>${text}</${style}>`;

function shown(events: readonly ChatEvent[], options: { paint?: Paint; allChains?: boolean } = {}) {
  const renderer = new Renderer({ paint: (_style, text) => text, ...options });
  return events.map((event) => renderer.render(event)).join("");
}

const chain: ChatEvent[] = [
  {
    type: "runStart",
    runId,
    at,
    conversationId: runId,
    botId: "chat",
    userId: "local",
    message: "hello",
  },
  { type: "chainStart", ...inSpan("root"), at, name: "chat" },
  { type: "chainStart", ...inSpan("prompt"), parentSpanId: "root", at, name: "Prompt" },
  { type: "chainEnd", ...inSpan("prompt"), at },
  { type: "llmStart", ...inSpan("llm"), parentSpanId: "root", at, name: "ChatOpenAI" },
  { type: "token", ...inSpan("llm"), text: "Hello" },
  { type: "token", ...inSpan("llm"), text: ", you" },
  { type: "llmEnd", ...inSpan("llm"), at, usage },
  { type: "chainEnd", ...inSpan("root"), at },
  { type: "runEnd", runId, at, status: "completed", text: "Hello, you", usage },
];

describe("a run on the screen", () => {
  test("is its outermost chain, its answer, and its usage last", () => {
    expect(shown(chain)).toBe(
      [
        "> Entering new chat chain...",
        "Hello, you",
        "> Finished chain.",
        "Tokens: 5 in, 4 out, 9 in all",
        "",
      ].join("\n"),
    );
  });

  test("has its tokens in cyan and its chain in bold", () => {
    expect(shown(chain, { paint: marked })).toBe(
      [
        "<bold>> Entering new chat chain...</bold>",
        "<cyan>Hello</cyan><cyan>, you</cyan>",
        "<bold>> Finished chain.</bold>",
        "<dim>Tokens: 5 in, 4 out, 9 in all</dim>",
        "",
      ].join("\n"),
    );
  });

  test("has every chain when asked for", () => {
    const lines = shown(chain, { allChains: true }).split("\n");
    expect(lines.slice(0, 3)).toEqual([
      "> Entering new chat chain...",
      "> Entering new Prompt chain...",
      "> Finished chain.",
    ]);
  });

  test("has tools and actions on lines of their own", () => {
    const agent: ChatEvent[] = [
      { type: "token", ...inSpan("llm1"), text: "Let me see." },
      { type: "agentAction", ...inSpan("root"), tool: "calculator", input: { expression: "6*7" } },
      { type: "toolStart", ...inSpan("tool"), at, name: "calculator", input: "6*7" },
      { type: "toolUpdate", ...inSpan("tool"), data: { percent: 50 } },
      { type: "toolProgress", ...inSpan("tool"), data: { percent: 75 } },
      { type: "toolProgress", ...inSpan("tool"), text: "Nearly " },
      { type: "toolProgress", ...inSpan("tool"), text: "there." },
      { type: "toolEnd", ...inSpan("tool"), at, output: "42" },
      { type: "retrieverStart", ...inSpan("search"), at, name: "docs", query: "forty-two" },
      { type: "retrieverEnd", ...inSpan("search"), at, documents: [{ text: "It is 42." }] },
      { type: "token", ...inSpan("llm2"), text: "It is 42." },
      { type: "runEnd", runId, at, status: "completed", text: "It is 42." },
    ];
    expect(shown(agent)).toBe(
      [
        "Let me see.",
        'Action: calculator: {"expression":"6*7"}',
        "Tool calculator: 6*7",
        'Tool reports: {"percent":50}',
        'Tool reports: {"percent":75}',
        "Nearly there.",
        "Tool finished: 42",
        "Search docs: forty-two",
        "Found 1 documents",
        "It is 42.",
        "",
      ].join("\n"),
    );
  });

  test("has the calls that a model writes, files, sources and a typed answer", () => {
    const source = { type: "source", url: "https://a.example", title: "A" } as const;
    const file = { type: "file", kind: "image", mimeType: "image/png", bytes: 9 } as const;
    const agent: ChatEvent[] = [
      { type: "toolInput", ...inSpan("llm"), toolCallId: "1", name: "draw" },
      { type: "toolInput", ...inSpan("llm"), toolCallId: "1", text: "{}" },
      { type: "toolStart", ...inSpan("tool"), at, name: "draw", toolCallId: "1", input: {} },
      { type: "toolEnd", ...inSpan("tool"), at, output: "done", content: [file, source] },
      { type: "token", ...inSpan("llm2"), text: "There." },
      { type: "llmEnd", ...inSpan("llm2"), at, content: [source] },
      { type: "runEnd", runId, at, status: "completed", text: "There.", output: { total: 1 } },
    ];
    expect(shown(agent)).toBe(
      [
        ...["Calls draw…", "Tool draw: {}", "Tool finished: done"],
        ...["A file (image): image/png, 9 bytes", "There.", "{", '  "total": 1', "}"],
        ...["[1] A https://a.example", ""],
      ].join("\n"),
    );
  });

  test("of long ago has its parts", () => {
    const kept = { runId, position: 2, at, text: "There." } as const;
    const plain: Paint = (_style, text) => text;
    const tool = { type: "tool", name: "draw", input: {} } as const;
    const message = renderMessage(
      {
        ...kept,
        ...{ role: "ai", status: "cancelled" },
        parts: [
          { type: "reasoning", text: "Hm.\u0007" },
          { ...tool, state: "done", output: "done" },
          { type: "source", title: "A", url: "https://a.example" },
          {
            ...tool,
            state: "failed",
            error: { code: "INTERNAL", message: "No.", retryable: false },
          },
          { ...tool, state: "stopped" },
          { type: "data", name: "page", value: 7, origin: "custom" },
          { type: "text", text: "There.", final: true },
        ],
      },
      plain,
    );
    expect(message).toBe(
      [
        ...["Hm.", "Tool draw: {}", "Tool finished: done", "Tool draw: {}", "Tool failed: No."],
        ...["Tool draw: {}", "The run ended before the tool did.", "page: 7", "There."],
        ...["[1] A https://a.example", "Cancelled.", ""],
      ].join("\n"),
    );
    expect(renderMessage({ ...kept, role: "human", userId: "ann" }, plain)).toBe("ann:\nThere.\n");
  });

  test("has what a tool says beside its data, and no empty line behind a text that ends its own", () => {
    const events: ChatEvent[] = [
      { type: "toolProgress", ...inSpan("tool"), text: "Half", data: { percent: 50 } },
      { type: "token", ...inSpan("llm"), text: "Done.\n" },
      { type: "custom", ...inSpan("c"), name: "next" },
      { type: "token", ...inSpan("llm"), text: "Again.\n" },
      { type: "runEnd", runId, at, status: "completed", text: "Done.\nAgain.\n" },
    ];
    const lines = ["Half", 'Tool reports: {"percent":50}', "Done.", "next", "Again.", ""];
    expect(shown(events)).toBe(lines.join("\n"));
  });

  test("of long ago commands no terminal, names each place once, and a file by its address alone", () => {
    const hostile = "\u001b[2Jgone\u009b";
    const source = { type: "source", title: `A${hostile}`, url: "https://a.example" } as const;
    const file = { type: "file", kind: "image", bytes: 9 } as const;
    const parts = [
      ...[true, false].map((final) => ({ type: "text", text: hostile, final }) as const),
      { type: "tool", name: hostile, state: "done", output: hostile },
      { type: "data", name: hostile, value: hostile, origin: "custom" },
      ...[source, source, { type: "source", documentId: "d" }, { type: "source" }],
      { ...file, url: "data:image/png;base64,AAAA" },
      { ...file, name: hostile, url: "https://b.example/i.png" },
    ] as Message["parts"];
    const kept = { runId, position: 2, at, text: "", status: "completed", role: "ai" } as const;
    const gone = "[2Jgone";
    expect(renderMessage({ ...kept, parts }, (_style, text) => text)).toBe(
      [
        ...[gone, gone, `Tool ${gone}`, `Tool finished: ${gone}`, `${gone}: ${gone}`],
        ...["A file (image): 9 bytes", `A file (image): ${gone}, 9 bytes, https://b.example/i.png`],
        ...[`[1] A${gone} https://a.example`, "[2] d", ""],
      ].join("\n"),
    );
    const human = { ...kept, role: "human", userId: hostile, text: hostile } as const;
    expect(renderMessage(human, (_style, text) => text)).toBe(`${gone}:\n${gone}\n`);
  });

  test("has an answer that came without tokens", () => {
    const end: ChatEvent = { type: "runEnd", runId, at, status: "completed", text: "All at once." };
    expect(shown([end])).toBe("All at once.\n");
  });

  test("has an answer that no model said, beside what they said", () => {
    const events: ChatEvent[] = [
      { type: "token", ...inSpan("llm"), text: '{"sum":42}' },
      { type: "runEnd", runId, at, status: "completed", text: "It is 42." },
    ];
    expect(shown(events)).toBe('{"sum":42}\nIt is 42.\n');
  });

  test("says once in red what failed, however often it was passed on", () => {
    const failure = { code: "PROVIDER_ERROR", message: "It broke.", retryable: true } as const;
    const failed: ChatEvent[] = [
      { type: "token", ...inSpan("llm"), text: "Half" },
      { type: "error", ...inSpan("llm"), at, source: "llm", ...failure },
      { type: "error", ...inSpan("root"), at, source: "chain", ...failure },
      { type: "runEnd", runId, at, status: "failed", text: "Half", usage, error: failure },
    ];
    expect(shown(failed, { paint: marked })).toBe(
      [
        "<cyan>Half</cyan>",
        "<red>PROVIDER_ERROR: It broke.</red>",
        "<dim>Tokens: 5 in, 4 out, 9 in all</dim>",
        "",
      ].join("\n"),
    );
  });

  test("says that it was cancelled", () => {
    const cancelled: ChatEvent[] = [
      { type: "token", ...inSpan("llm"), text: "Half" },
      { type: "runEnd", runId, at, status: "cancelled", text: "Half" },
    ];
    expect(shown(cancelled)).toBe("Half\nCancelled.\n");
  });

  test("tells of a fallback, and keeps the voices of parallel spans apart", () => {
    const voices: ChatEvent[] = [
      { type: "token", ...inSpan("a"), text: "one" },
      { type: "token", ...inSpan("b"), text: "two\n" },
      { type: "token", ...inSpan("b"), text: "three" },
      { type: "reset", ...inSpan("b") },
      { type: "reasoning", ...inSpan("c"), text: "hm" },
      { type: "custom", ...inSpan("c"), name: "progress", data: { done: true } },
    ];
    expect(shown(voices)).toBe(
      ["one", "two", "three", "(starting over)", "hm", 'progress: {"done":true}', ""].join("\n"),
    );
  });

  test("cannot command the terminal", () => {
    const hostile: ChatEvent[] = [
      { type: "token", ...inSpan("a"), text: "safe\u001b]52;c;ZXZpbA==\u0007\r\n\ttext\u009b31m" },
      { type: "toolEnd", ...inSpan("t"), at, output: "\u001b[2Jgone" },
    ];
    expect(shown(hostile)).toBe("safe]52;c;ZXZpbA==\n\ttext31m\nTool finished: [2Jgone\n");
  });

  test("cuts a payload that would fill the screen", () => {
    const long: ChatEvent = { type: "toolEnd", ...inSpan("t"), at, output: "x".repeat(10_000) };
    expect(shown([long])).toHaveLength("Tool finished: …\n".length + 500);
  });

  test("passes over events of a newer server", () => {
    const unknown = { ...chain[0], type: "somethingNew" } as unknown as ChatEvent;
    expect(shown([unknown])).toBe("");
  });
});
