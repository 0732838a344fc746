/** docs/guides/anthropic-and-ollama.md, as written, against servers of the two providers' own protocols. */
import { expect, test } from "vitest";
import { anthropicMessages } from "../ecosystem/mocks/anthropic-messages.ts";
import { type MockProvider, startMockProvider } from "../ecosystem/mocks/mock-provider.ts";
import { ollamaChat } from "../ecosystem/mocks/ollama-chat.ts";
import { withOwnInstall } from "../support/own-install.ts";
import { followGuide } from "./follow-guide.ts";

function answer(provider: MockProvider): void {
  const args = { city: "Lisbon" };
  provider.answer({ steps: [{ reasoning: "I should look." }, { toolCall: "weather", args }] });
  provider.answer({ steps: [{ reasoning: "Sunny, then." }, "No, it is ", "sunny."] });
}

await withOwnInstall("ecosystem", "the guide to Anthropic and Ollama", async () => {
  test("both think, use the tool and answer", async () => {
    await using anthropic = await startMockProvider(anthropicMessages);
    await using ollama = await startMockProvider(ollamaChat);
    answer(anthropic);
    answer(ollama);
    const env = { ANTHROPIC_BASE_URL: anthropic.url, OLLAMA_BASE_URL: ollama.url };
    await using _guide = await followGuide("anthropic-and-ollama", { env });
    expect([...anthropic.violations, ...ollama.violations]).toEqual([]);
    expect(anthropic.calls[0]?.body).toMatchObject({ thinking: { budget_tokens: 2_048 } });
    expect(ollama.calls[0]?.body).toMatchObject({ model: "qwen3", think: true });
  });
});
