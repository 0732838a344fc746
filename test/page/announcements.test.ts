/** What a screen reader is told of a run: that it is under way, and what it came to. */
import { RunnableLambda } from "@langchain/core/runnables";
import { expect, test, vi } from "vitest";
import { defineBot } from "../../src/bots/bot.ts";
import { LangwireError } from "../../src/protocol/errors.ts";
import { describeWithChromium, gate, textOf, type Window } from "./site.ts";

const spokenIn = ({ page }: Window) => page.getByRole("status", { name: "Progress" });

const refusal = () => new LangwireError("OVERLOADED", { retryAfterMs: 50 });

describeWithChromium("the page: what a screen reader hears", (open) => {
  test("of an answer twice: that it begins, and what it is", async () => {
    const { provider, visit } = await open();
    const { passed, open: finish } = gate();
    provider.answer({ steps: ["Hel", "lo ", { until: passed }, "there"] });
    const window = await visit();
    const spoken = spokenIn(window);
    await window.send("Hi");
    await textOf(spoken).toBe("Test is answering.");
    await window.shows("Hello");
    finish();
    await textOf(spoken).toBe("Test: Hello there");
  });

  test("what a run came to that was over before the history had been read", async () => {
    const [history, run] = [gate(), gate()];
    const runnable = RunnableLambda.from(async (message: string) => {
      await run.passed;
      if (message === "Fail") throw new TypeError("no city");
      return message;
    });
    const bot = defineBot({
      ...{ id: "bot", title: "Bot", description: "", runnable },
      input: ({ message }) => message,
    });
    const { server, visit } = await open({ bots: [bot], observer: {} });
    const { conversations } = server.langwire.store;
    const { messages } = conversations;
    vi.spyOn(conversations, "messages").mockImplementation(async (...asked) => {
      await history.passed;
      return await messages.apply(conversations, asked);
    });
    const window = await visit();
    const spoken = spokenIn(window);
    await window.send("Fail");
    await textOf(spoken).toBe("Bot is answering.");
    run.open();
    await textOf(spoken).toMatch(/^Error: The bot's own code failed/);
    history.open();
    await window.button("New conversation").click();
    await window.send("Hello");
    await textOf(spoken).toBe("Bot: Hello");
  });

  test("that a run was stopped, and that a message was refused, the second time as well", async () => {
    const { provider, server, visit } = await open();
    provider.answer({ steps: ["Half of", "stall"] });
    const window = await visit();
    const spoken = spokenIn(window);
    await window.send("Hi");
    await window.shows("Half of");
    await window.button("Stop").click();
    await textOf(spoken).toBe("Test was stopped.");

    const heard = `{
      window.heard = [];
      const status = document.querySelector("[role=status][aria-label=Progress]");
      new MutationObserver(() => heard.push(status.textContent)).observe(status, {
        subtree: true, childList: true, characterData: true,
      });
    }`;
    await window.page.evaluate(heard);
    vi.spyOn(server.langwire.runs, "send").mockImplementation(() => {
      throw refusal();
    });
    for (const times of [1, 2]) {
      await window.send("Once more");
      await expect.poll(() => window.page.getByText("OVERLOADED").count()).toBe(times);
    }
    const said = `Error: ${refusal().message}`;
    expect(await window.page.evaluate("heard")).toEqual(["", said, "", said]);
  });
});
