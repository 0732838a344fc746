/** Writing, copying and printing: what a person wrote is not lost, and what is read can be kept. */
import { RunnableLambda } from "@langchain/core/runnables";
import { tool } from "@langchain/core/tools";
import { expect, test, vi } from "vitest";
import { z } from "zod";
import { defineBot } from "../../src/bots/bot.ts";
import { LangwireError } from "../../src/protocol/errors.ts";
import { describeWithChromium, gate, textOf, type Window } from "./site.ts";

const phone = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };

/** A network that swallows what is sent, from when it is told to until the page is loaded again. */
const losable = `const { send } = WebSocket.prototype;
window.networkIsLost = false;
WebSocket.prototype.send = function (data) {
  if (!window.networkIsLost) send.call(this, data);
};`;

function fieldOf({ field }: Window) {
  return expect.poll(() => field.inputValue());
}

describeWithChromium("the page: hands", (open) => {
  test("a message that is too long stays in the field, and it is said before sending", async () => {
    const { provider, visit } = await open({ runLimits: { maxMessageLength: 1_000 } });
    const window = await visit();
    await window.field.fill("word ".repeat(300));
    await window.shows("Too long to send: 1,499 of 1,000 characters.");
    await window.field.press("Enter");
    expect((await window.field.inputValue()).length).toBe(1_500);
    expect(await window.button("Send").isDisabled()).toBe(true);
    await window.field.fill("short");
    await window.field.press("Enter");
    await window.shows("You said: short");
    expect(provider.calls).toHaveLength(1);
  });

  test("a message that the server refuses can be edited, and is tried again only where that may help", async () => {
    const { server, visit } = await open();
    const window = await visit();
    await window.send("First");
    await window.answered();
    // A server that says nothing about its limit, as those before this one.
    const withoutLimit = server.langwire.bots
      .list(1)
      .map((bot) => ({ ...bot, maxMessageLength: undefined }));
    server.langwire.bots.list = () => withoutLimit;
    await window.page.reload();
    await window.shows("You said: First");
    await window.field.fill("x".repeat(33_000));
    await window.field.press("Enter");
    await window.shows("BAD_INPUT");
    expect(await window.button("Try again").count()).toBe(0);
    await window.field.fill("something else");
    await window.button("Edit").click();
    await fieldOf(window).toBe(`${"x".repeat(33_000)}\n\nsomething else`);
    expect(await window.page.getByText("BAD_INPUT").count()).toBe(0);
    await window.send("Shorter");
    await window.shows("You said: Shorter");
  });

  test("offline, one message waits, the next stays in the field, and both come in their order", async () => {
    const { proxy, provider, visit } = await open();
    const window = await visit();
    await window.send("One");
    await window.answered();
    await window.context.setOffline(true);
    proxy.refuse();
    proxy.cut();
    await window.shows("Offline");
    await window.send("Two");
    await window.shows("Your message is on its way");
    await window.field.fill("Three");
    await window.field.press("Enter");
    expect(await window.field.inputValue()).toBe("Three");
    proxy.accept();
    await window.context.setOffline(false);
    await window.shows("You said: Two");
    await window.answered();
    await window.field.press("Enter");
    await window.shows("You said: Three");
    expect(provider.calls.map(({ lastText }) => lastText)).toEqual(["One", "Two", "Three"]);
  });

  test("what had not been accepted before a reload is in the field after it", async () => {
    const { provider, visit } = await open();
    const window = await visit({ script: losable });
    await window.send("One");
    await window.answered();
    await window.page.evaluate("networkIsLost = true");
    await window.send("Two");
    await window.shows("Your message is on its way");
    await window.field.fill("and three");
    await window.page.reload();
    await window.shows("You said: One");
    await fieldOf(window).toBe("Two\n\nand three");
    await window.field.press("Enter");
    await window.shows("You said: Two");
    expect(provider.calls).toHaveLength(2);
  });

  test("a draft is kept over reloads, for each conversation its own", async () => {
    const { visit } = await open();
    const window = await visit();
    const list = window.page.getByRole("navigation", { name: "Conversations" });
    await window.send("First");
    await window.shows("You said: First");
    await window.field.fill("for the first");
    await window.button("New conversation").click();
    await fieldOf(window).toBe("");
    await window.field.fill("for a new one");
    await window.page.reload();
    await fieldOf(window).toBe("for a new one");
    await list.getByRole("link", { name: "First" }).click();
    await fieldOf(window).toBe("for the first");
    await window.page.reload();
    await fieldOf(window).toBe("for the first");
    await window.button("New conversation").click();
    await fieldOf(window).toBe("for a new one");
    await window.field.press("Enter");
    await window.shows("You said: for a new one");
    await window.page.reload();
    await window.shows("You said: for a new one");
    expect(await window.field.inputValue()).toBe("");
    await window.button("New conversation").click();
    await fieldOf(window).toBe("");
  });

  test("a title that the server refuses for the moment stays in its field", async () => {
    const { server, visit } = await open();
    const window = await visit();
    await window.send("About bridges");
    await window.answered();
    const rename = vi.spyOn(server.langwire.store.conversations, "rename");
    rename.mockRejectedValueOnce(new LangwireError("STORE_UNAVAILABLE"));
    await window.button("Rename About bridges").click();
    const field = window.page.getByRole("textbox", { name: "Title of the conversation" });
    await field.fill("Bridges, long ones");
    await field.press("Enter");
    await window.page.getByRole("navigation").getByRole("alert").waitFor();
    expect(await field.inputValue()).toBe("Bridges, long ones");
    await field.press("Enter");
    await window.page.getByRole("link", { name: "Bridges, long ones" }).waitFor();
  });

  test("on a phone Enter begins a new line, and the button sends", async () => {
    const { provider, visit } = await open();
    const window = await visit({ context: phone });
    await window.shows("Enter begins a new line, the button sends.");
    await window.field.tap();
    await window.page.keyboard.type("one");
    await window.page.keyboard.press("Enter");
    await window.page.keyboard.type("two");
    expect(await window.messages.count()).toBe(0);
    await window.button("Send").tap();
    await window.shows("You said: one");
    expect(provider.calls[0]?.lastText).toBe("one\ntwo");
    // With a keyboard at it.
    await window.field.fill("three");
    await window.field.press("Control+Enter");
    await window.shows("You said: three");
  });

  test.for(["127.0.0.1", "plain.test"])(
    "an answer, code and a link are copied at %s",
    async (host) => {
      // Without an `authenticate` of its own, a server answers to its own machine alone.
      const { provider, visit } = await open({ authenticate: () => ({ userId: "ann" }) });
      provider.answer({ steps: ["Say:\n\n```js\nconst a = 1;\nb();\n```\n"] });
      const window = await visit({ host });
      expect(await window.page.evaluate("isSecureContext")).toBe(host === "127.0.0.1");
      await window.context.grantPermissions(["clipboard-read", "clipboard-write"]).catch(() => {});
      await window.send("Hi");
      await window.answered();
      const pasted = async (into = window.field) => {
        await into.fill("");
        await into.press("Control+v");
        return into.inputValue();
      };
      await window.button("Copy code").click();
      await window.button("Copied").waitFor();
      expect(await pasted()).toBe("const a = 1;\nb();");
      await window.button("Copy").click();
      await window.button("Copied").nth(1).waitFor();
      expect(await pasted()).toBe("Say:\n\n```js\nconst a = 1;\nb();\n```\n");
      await window.button("Share").click();
      await window.button("Make a link").click();
      const link = await window.page.getByRole("textbox", { name: "Link" }).inputValue();
      await window.button("Copy link").click();
      await window.page.getByRole("dialog").getByRole("button", { name: "Copied" }).waitFor();
      await window.button("Close").click();
      expect(await pasted()).toBe(link);
    },
  );

  test("printed, a conversation is whole, light, and nothing else", async () => {
    const { provider, visit } = await open();
    const paragraphs = Array.from({ length: 60 }, (_, index) => `Paragraph ${index} of it.\n\n`);
    provider.answer({ steps: [...paragraphs, `\`\`\`\n${"wide ".repeat(80)}END\n\`\`\`\n`] });
    const window = await visit({ context: { colorScheme: "dark" } });
    await window.send("Write");
    await window.answered();
    const heightPx = Number(
      await window.page.evaluate("document.querySelector('.scroller').scrollHeight"),
    );
    await window.page.emulateMedia({ media: "print", colorScheme: "dark" });
    const seen = `({
      height: document.documentElement.scrollHeight,
      width: document.documentElement.scrollWidth - innerWidth,
      paper: getComputedStyle(document.body).backgroundColor,
      shown: [...document.querySelectorAll("nav, button, textarea")].filter((e) => e.checkVisibility()).length,
      code: document.querySelector(".code pre").scrollWidth - document.querySelector(".code pre").clientWidth,
    })`;
    const { height, ...rest } = await window.page.evaluate<{ height: number }>(seen);
    expect(height).toBeGreaterThan(heightPx * 0.7);
    expect(rest).toEqual({ width: 0, paper: "rgb(255, 255, 255)", shown: 0, code: 0 });
    const pdf = (await window.page.pdf({ format: "A4" })).toString("latin1");
    expect(pdf.match(/\/Type\s*\/Page\b/g)?.length).toBeGreaterThan(1);
  });

  test("a row of a table is as high as its words need, whatever is out of sight", async () => {
    const { provider, visit } = await open();
    provider.answer({
      steps: [
        "| Drink | Temperature | Note about the drink which is quite long | And one more column | Price |\n",
        "|---|---|---|---|---|\n",
        "| Soda | 4 °C | Keep it closed, or it goes flat within hours | nothing to say here | 1.20 € |\n",
      ],
    });
    const window = await visit();
    await window.send("Hi");
    await window.answered();
    const rows = window.answers.last().getByRole("row");
    const [head, row] = [await rows.nth(0).boundingBox(), await rows.nth(1).boundingBox()];
    expect(row?.height).toBeLessThan((head?.height ?? 0) * 1.4);
  });

  test("what a run did is one line, with the tools that it used, and opens", async () => {
    const { provider, visit } = await open();
    const { passed, open: finish } = gate();
    provider.answer({ steps: [{ toolCall: "calculator", args: { expression: "6*7" } }] });
    provider.answer({ steps: ["It is ", { until: passed }, "42."] });
    const window = await visit();
    await window.page.getByText("Computes, tells the time").click();
    await window.send("6*7?");
    const trace = window.answers.last().locator(".trace");
    await textOf(trace).toBe("Working: ChatOpenAI");
    finish();
    await window.answered();
    await textOf(trace).toMatch(/^Used calculator · \d+ steps in [\d.]+ m?s$/);
    expect((await trace.boundingBox())?.height).toBeLessThan(40);
    await trace.getByRole("button").click();
    await trace.getByText("Tool, done: calculator").waitFor();
    // Whoever wants it open has it open.
    await window.page.reload();
    await window.send("Hi");
    await window.page.getByRole("list", { name: "Steps of the run" }).waitFor();
  });

  test("a tool's name is one of a line, however long it is and whatever is in it", async () => {
    const named = tool(() => "done", { name: `a\u202E${"x".repeat(500)}`, schema: z.object({}) });
    const runnable = RunnableLambda.from(async (_: unknown, config) => {
      await named.invoke({}, config);
      return "Done.";
    });
    const { visit } = await open({
      bots: [defineBot({ id: "named", title: "Named", description: "", runnable })],
    });
    const window = await visit({ context: phone });
    await window.field.fill("Hi");
    await window.button("Send").tap();
    await window.answered();
    await textOf(window.answers.last().locator(".trace")).toMatch(/^Used ax{39} · \d+ steps/);
    expect(await window.page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBe(0);
  });
});
