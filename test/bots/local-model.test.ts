import { HumanMessage } from "@langchain/core/messages";
import { describe, expect, test } from "vitest";
import { agentBot } from "../../src/shipped/agent-bot.ts";
import { chatBot } from "../../src/shipped/chat-bot.ts";
import { LocalModel } from "../../src/shipped/local/local-model.ts";
import { createModel } from "../../src/shipped/model.ts";
import { DocumentSearch } from "../../src/shipped/tools/document-search.ts";
import { ownDocuments } from "../../src/shipped/tools/own-documents.ts";
import { transcriptOfBot } from "./transcript.ts";

const model = new LocalModel({ paceMs: 0 });
const chat = chatBot({ model });
const agent = agentBot({ model });

describe("the local model", () => {
  test("writes about soda water in Japanese, in pieces that are words", async () => {
    const message = "炭酸水についての歌詞を書いてください。";
    const { outcome, events, tokens, run } = await transcriptOfBot(chat, { message });
    if (outcome.status !== "completed") throw outcome.error;
    const text = outcome.text ?? "";
    expect(text).toMatch(/^これは Langwire に組み込まれたローカルモデル/);
    expect(text).toMatch(/OPENAI_API_KEY.*OPENAI_BASE_URL.*MODEL/);
    expect(text).toContain("『炭酸水のうた』");
    expect(text.split("\n").length).toBeGreaterThan(10);
    expect(tokens).toBe(text);
    const pieces = events.flatMap((event) => (event.type === "token" ? [event.text] : []));
    expect(pieces).toContain("ローカル");
    expect(run.usage?.outputTokens).toBe(pieces.length);
    expect(run.usage?.inputTokens).toBeGreaterThan(message.length);
    expect(run.providerCalls).toBeUndefined();
  });

  test.each([
    ["Hello!", /Ask me about Langwire/],
    ["What is 12 * (3 + 4)?", /12 \* \(3 \+ 4\) = 84/],
    ["12×3は？", /12\*3 = 36/],
    ["So 2 * sqrt(16) - 1?", /2 \* sqrt\(16\) - 1 = 7/],
    ["On 2024-05-06 (a Monday), 7 / 2", /7 \/ 2 = 3\.5/],
    ["さっき何と言いましたか", /これが最初のメッセージです/],
    ["詩をください。海と空についての歌詞！", /『海と空のうた』/],
    ["A song, please, about ... the sea?!", /Song of \.\.\. the sea/],
    ["Write a poem about the sea.", /Song of the sea/],
    ["What time is it in Tokyo?", /\(Asia\/Tokyo\)/],
    ["今何時ですか。東京", /\(Asia\/Tokyo\)/],
    ["How do I stop a run?", /chat\.cancel/],
    ["モデルの選び方は？", /モデルの選び方/],
    ["What did I just say?", /This is your first message/],
    ["Qwertyuiop asdfghjkl", /say nothing about that/],
    ["", /say nothing about that/],
  ])("answers %j", async (message, answer) => {
    const { outcome } = await transcriptOfBot(chat, { message });
    expect(outcome).toMatchObject({ status: "completed", text: expect.stringMatching(answer) });
    expect(outcome).toMatchObject({ text: expect.stringContaining("OPENAI_BASE_URL") });
  });

  test("knows what was said before", async () => {
    const history = [
      { role: "human" as const, text: "I like tea." },
      { role: "ai" as const, text: "Good." },
    ];
    const { tokens } = await transcriptOfBot(chat, { message: "What did I say?", history });
    expect(tokens).toContain('You said: "I like tea."');
  });

  test.each([
    ["What is 2 ^ 10?", "calculator", "1024"],
    ["What time is it in Europe/Berlin?", "time", "(Europe/Berlin)"],
    ["How can I use Ollama?", "search", "OPENAI_BASE_URL"],
  ])("as an agent, for %j, uses the tool", async (message, tool, result) => {
    const { events, tokens } = await transcriptOfBot(agent, { message });
    expect(events).toContainEqual(expect.objectContaining({ type: "agentAction", tool }));
    expect(events).toContainEqual(expect.objectContaining({ type: "toolStart", name: tool }));
    expect(tokens).toContain(result);
  });

  test("stops at once", async () => {
    const slow = new LocalModel({ paceMs: 60_000 });
    const stopping = new AbortController();
    const answer = slow.invoke([new HumanMessage("hi")], { signal: stopping.signal });
    stopping.abort();
    await expect(answer).rejects.toThrow();
  });

  test("answers without streaming, too", async () => {
    const message = await new LocalModel({ paceMs: 0 }).invoke("Hello!");
    expect(message.text).toContain("Ask me about Langwire");
    expect(message.usage_metadata?.output_tokens).toBeGreaterThan(10);
  });
});

describe("createModel", () => {
  test.each([[{ model: "openai:gpt-4.1-mini" }], [{ model: "local:" }], [{ model: "local" }]])(
    "%j is the local model",
    async (settings) => {
      expect(await createModel(settings)).toBeInstanceOf(LocalModel);
    },
  );

  test("says which package a provider needs", async () => {
    await expect(createModel({ model: "anthropic:claude-x" })).rejects.toThrow(
      'The model "anthropic:claude-x" needs a package: npm install @langchain/anthropic',
    );
  });

  test.each(["gpt-4.1-mini", "nobody:model", "openai:", ""])("refuses %j", async (name) => {
    await expect(createModel({ model: name })).rejects.toThrow(/form provider:name.*openai/);
  });
});

describe("the search", () => {
  const search = new DocumentSearch([
    { name: "a.md", markdown: "Start.\n\n# Tea\n\nGreen tea is brewed.\n\n```\n# no heading\n```" },
    {
      name: "b.md",
      markdown: "# 炭酸水\n\n炭酸水は泡が出ます。\r\n\r\n# Coffee\r\n\r\nCoffee is roasted.",
    },
  ]);

  test.each([
    ["How is tea brewed?", "Tea"],
    ["teas", "Tea"],
    ["no heading", "Tea"],
    ["泡の出る炭酸水", "炭酸水"],
    ["ＣＯＦＦＥＥ", "Coffee"],
  ])("finds for %j", (query, heading) => {
    expect(search.search(query, 3)[0]?.heading).toBe(heading);
  });

  test("finds nothing where no word occurs", () => {
    expect(search.search("the of and", 3)).toEqual([]);
    expect(new DocumentSearch([]).search("tea", 3)).toEqual([]);
  });

  test("knows Langwire's own documents", () => {
    const found = ownDocuments()
      .search("chat.cancel: stop a run", 3)
      .map(({ text }) => text);
    expect(found.join("\n")).toContain("chat.cancel");
  });
});
