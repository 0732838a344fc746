/** One person, one window: writing, reading, stopping, trying again, coming back. */
import { AIMessage } from "@langchain/core/messages";
import { RunnableLambda } from "@langchain/core/runnables";
import {
  interrupt,
  MemorySaver,
  MessagesAnnotation,
  START,
  StateGraph,
} from "@langchain/langgraph";
import { expect, test } from "vitest";
import { z } from "zod";
import { defineBot, LangwireError } from "../../src/index.ts";
import { describeWithChromium, gate, textOf } from "./site.ts";

describeWithChromium("the page: a conversation", (open) => {
  test("an answer is shown as it is made, as Markdown, and nothing in it is run", async () => {
    const { provider, visit } = await open();
    const { passed, open: finish } = gate();
    provider.answer({
      steps: [
        "# Sparkling\n\nSome *soda*.\n\n| drink | bubbles |\n| --- | --- |\n| soda | yes |\n\n",
        "```js\nconst a",
        { until: passed },
        " = 1;\n```\n\n<img src=x onerror=alert(1)>\n\n[in](javascript:alert(1)) ",
        "[out](https://example.com/)",
      ],
    });
    const window = await visit();
    await window.send("Tell me");
    const answer = window.answers.last();
    await answer.getByRole("table").getByRole("cell", { name: "soda" }).waitFor();
    await answer.getByRole("heading", { name: "Sparkling" }).waitFor();
    await textOf(answer.locator("figure code")).toBe("const a");
    await window.button("Stop").waitFor();
    finish();
    await window.answered();
    await textOf(answer.locator("figure code")).toBe("const a = 1;");
    expect(await answer.locator("img").count()).toBe(0);
    await window.shows("<img src=x onerror=alert(1)>");
    const out = answer.getByRole("link", { name: "out" });
    expect(await out.getAttribute("rel")).toContain("noopener");
    expect(await out.getAttribute("target")).toBe("_blank");
    await window.shows("[in](javascript:alert(1))");
    expect(window.complaints).toEqual([]);
  });

  test("the tree of a run unfolds while it runs, with times, tokens and what was exchanged", async () => {
    const { provider, visit } = await open();
    const { passed, open: finish } = gate();
    provider.answer({
      steps: ["Let me see.", { toolCall: "calculator", args: { expression: "6*7" } }],
    });
    provider.answer({ steps: ["It is ", { until: passed }, "42."] });
    const window = await visit();
    await window.page.getByText("Computes, tells the time").click();
    await window.send("6*7?");
    await window.shows("It is");
    const step = window.answers.last().locator(".step");
    await textOf(step).toBe("Let me see.");
    const tree = window.page.getByRole("list", { name: "Steps of the run" });
    await window.button("Working: ChatOpenAI").click();
    await tree.getByText("Tool, done: calculator").waitFor();
    await tree.getByText("Model, running: ChatOpenAI").waitFor();
    finish();
    await window.answered();
    await textOf(step).toBe("Let me see.");
    await tree.getByText("Model, done: ChatOpenAI").nth(1).waitFor();
    await textOf(tree).toMatch(/tokens in, \d+ out/);
    await tree.getByText(/: calculator$/).click();
    await tree.getByText("42", { exact: true }).waitFor();
    await window.button(/steps in/).click();
    await tree.waitFor({ state: "detached" });
  });

  test("stopping stops the provider, keeps what was said, and one can ask again", async () => {
    const { provider, visit } = await open();
    provider.answer({ steps: ["Half of", "stall"] });
    provider.answer({ steps: ["All of it"] });
    const window = await visit();
    await window.send("Hi");
    await window.shows("Half of");
    await window.button("Stop").click();
    await window.shows("Stopped here.");
    expect(await (await provider.call(0)).closed).toBe("aborted");
    await window.button("Ask again").click();
    await window.shows("All of it");
    await window.shows("Half of");
  });

  test("a failure shows its code, and trying again may help", async () => {
    const { provider, visit } = await open();
    provider.answer({ status: 429, headers: { "retry-after": "1" } });
    provider.answer({ steps: ["Now it works"] });
    const window = await visit();
    await window.send("Hi");
    await window.shows("MODEL_RATE_LIMIT");
    await window.button("Try again").click();
    await window.shows("Now it works");
  });

  test("a bot whose code failed can be asked again, and one that refused cannot", async () => {
    const runs: string[] = [];
    const runnable = RunnableLambda.from((message: string) => {
      runs.push(message);
      if (message === "Never") throw new LangwireError("BOT_REFUSED");
      if (runs.length === 1) throw new TypeError("no city");
      return `Heard: ${message}`;
    });
    const bot = defineBot({
      ...{ id: "bot", title: "Bot", description: "", runnable },
      input: ({ message }) => message,
    });
    const { visit } = await open({ bots: [bot], observer: {} });
    const window = await visit();
    await window.send("Hi");
    await window.shows("BOT_FAILED");
    await window.button("Ask again").click();
    await window.shows("Heard: Hi");
    await window.send("Never");
    await window.shows("BOT_REFUSED");
    await window.answered();
    expect(await window.button(/again$/i).count()).toBe(0);
    expect(runs).toEqual(["Hi", "Hi", "Never"]);
  });

  test("a typed bot is given what it takes, as JSON of its shape", async () => {
    const order = z.object({ city: z.string(), seats: z.int().min(1), window: z.boolean() });
    const typed = defineBot({
      ...{ id: "typed", title: "Books seats", description: "", input: order, output: order },
      runnable: RunnableLambda.from((given: z.infer<typeof order>) => given),
    });
    const { visit } = await open({ bots: [typed] });
    const window = await visit();
    const field = window.page.getByLabel("Input, as JSON");
    const blank = { city: "", seats: 1, window: false };
    expect(JSON.parse(await field.inputValue())).toEqual(blank);
    await field.fill('{ "city": "Kyoto", ');
    await window.shows("This is not JSON yet.");
    expect(await window.button("Send").isDisabled()).toBe(true);
    await field.fill('{ "city": "Kyoto", "seats": 0, "window": true }');
    await field.press("Control+Enter");
    await window.shows("BAD_INPUT");
    await window.button("Edit").click();
    await field.press("ControlOrMeta+A");
    await field.pressSequentially('{ "city": "Kyoto",');
    await field.press("Enter");
    await field.pressSequentially('"seats": 2, "window": true }');
    await window.button("Send").click();
    await window.answered();
    await textOf(window.answers.last()).toContain('"seats": 2');
    expect(JSON.parse(await field.inputValue())).toEqual(blank);
    expect(window.complaints).toEqual([]);
  });

  test("what an interrupted graph asks is shown, as text and as data", async () => {
    const questions = ["Send it to **Ann**?", { tool: "send", args: { to: "Ann" } }];
    const graph = new StateGraph(MessagesAnnotation)
      .addNode("ask", () => ({ messages: [new AIMessage(interrupt(questions.shift()))] }))
      .addEdge(START, "ask")
      .compile({ checkpointer: new MemorySaver() });
    const asking = defineBot({ id: "asking", title: "Asks", description: "", runnable: graph });
    const { visit } = await open({ bots: [asking] });
    const window = await visit();
    await window.send("Go");
    await window.shows("INTERRUPT_UNSUPPORTED");
    await textOf(window.page.locator(".question")).toBe("The bot asked\n\nSend it to **Ann**?");
    await window.send("Again");
    await window.shows(/"to": "Ann"/);
    expect(window.complaints).toEqual([]);
  });

  test("a reload in mid-answer goes on where it was, and keeps the address", async () => {
    const { provider, visit } = await open();
    const { passed, open: finish } = gate();
    provider.answer({ steps: ["The first"] });
    provider.answer({ steps: ["Half, ", { until: passed }, "and the rest."] });
    const window = await visit();
    await window.send("One");
    await window.shows("The first");
    await window.send("Two");
    await window.shows("Half,");
    const { address } = window;
    expect(address).toMatch(/#\/c\/[0-9a-f-]{36}$/);
    await window.page.reload();
    await window.shows("Half,");
    await window.shows("The first");
    expect(window.address).toBe(address);
    finish();
    await window.shows("Half, and the rest.");
    await window.answered();
    expect(provider.calls).toHaveLength(2);
    expect(await window.messages.count()).toBe(4);
  });

  test("conversations are listed, renamed, opened and deleted", async () => {
    const { visit } = await open();
    const window = await visit();
    const list = window.page.getByRole("navigation", { name: "Conversations" });
    await window.send("About bridges");
    await window.shows("You said: About bridges");
    await window.button("New conversation").click();
    await window.shows("Who would you like to talk to?");
    await window.send("About tunnels");
    await window.shows("You said: About tunnels");
    await list.getByRole("link", { name: "About bridges" }).click();
    await window.shows("You said: About bridges");
    await window.page.getByText("You said: About tunnels").waitFor({ state: "detached" });

    await window.button("Rename About bridges").click();
    await window.page.getByRole("textbox", { name: "Title of the conversation" }).fill("Bridges");
    await window.page.keyboard.press("Enter");
    await window.page.getByRole("heading", { name: "Bridges", level: 1 }).waitFor();
    // The keyboard is where it was.
    await expect
      .poll(() => window.page.locator("*:focus").getAttribute("aria-label"))
      .toBe("Rename Bridges");

    await window.button("Delete Bridges").click();
    const dialog = window.page.getByRole("dialog", { name: "Delete this conversation?" });
    await window.page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    await window.button("Delete Bridges").click();
    await dialog.getByRole("button", { name: "Delete" }).click();
    await window.shows("Who would you like to talk to?");
    await list.getByText("Bridges").waitFor({ state: "detached" });
    await list.getByRole("link", { name: "About tunnels" }).waitFor();
    expect(window.complaints).toEqual([]);
  });

  test("Enter sends, Shift and Enter do not, and neither does an input method's Enter", async () => {
    const { provider, visit } = await open();
    const window = await visit();
    const keys = await window.context.newCDPSession(window.page);
    await window.field.click();
    await keys.send("Input.imeSetComposition", {
      text: "たんさんすい",
      selectionStart: 6,
      selectionEnd: 6,
    });
    await window.field.press("Enter");
    await keys.send("Input.insertText", { text: "炭酸水" });
    expect(await window.field.inputValue()).toContain("炭酸水");
    // Safari ends the composition before it tells of the key.
    await keys.send("Input.dispatchKeyEvent", {
      type: "rawKeyDown",
      key: "Enter",
      code: "Enter",
      windowsVirtualKeyCode: 229,
    });
    expect(await window.messages.count()).toBe(0);
    await window.field.fill("炭酸水");
    await window.field.press("Shift+Enter");
    await window.field.pressSequentially("の歌");
    await window.field.press("Enter");
    await window.shows("You said: 炭酸水");
    expect(provider.calls[0]?.lastText).toBe("炭酸水\nの歌");
  });

  test("everything can be done with the keyboard, and the focus stays in the field", async () => {
    const { visit } = await open();
    const window = await visit();
    await window.shows("Who would you like to talk to?");
    // One may write at once.
    await window.page.keyboard.type("Hello");
    await window.page.keyboard.press("Enter");
    await window.answered();
    await expect
      .poll(() => window.page.locator("*:focus").getAttribute("aria-label"))
      .toBe("Message");
    await window.page.keyboard.type("Again");
    await window.page.keyboard.press("Enter");
    await window.shows("You said: Again");
  });
});
