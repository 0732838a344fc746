/** What the page does when the browser, the server or a name is not as one hopes. */
import { RunnableLambda } from "@langchain/core/runnables";
import { SignJWT } from "jose";
import { expect, test, vi } from "vitest";
import { defineBot } from "../../src/bots/bot.ts";
import { LangwireError } from "../../src/protocol/errors.ts";
import { verifyTokens } from "../../src/server/access/auth.ts";
import { keepConversation } from "./kept-conversation.ts";
import { hostileBot, partsBot } from "./parts-bots.ts";
import { describeWithChromium, gate, textOf } from "./site.ts";

/** As Chromium does it where somebody has forbidden all site data. */
const siteDataBlocked = `for (const name of ["localStorage", "sessionStorage"]) {
  Object.defineProperty(window, name, {
    get() { throw new DOMException("Access is denied for this document.", "SecurityError"); },
  });
}`;

/** Persian, Sinhala, Hindi, a family, Japanese, Hebrew, a script outside of the first plane. */
const names = [
  "علی\u200Cرضا",
  "ශ්\u200Dරීමත්",
  "क्\u200Dषमा",
  "👨\u200D👩\u200D👧\u200D👦",
  "山田 花子",
  "שָׁלוֹם",
  "𞤀𞤣𞤤𞤢𞤥",
];

const refusal = () => new LangwireError("STORE_UNAVAILABLE", { retryAfterMs: 50 });

describeWithChromium("the page: states", (open) => {
  test("where site data is blocked, everything works, and is remembered while the page is open", async () => {
    const { visit } = await open();
    const window = await visit({ script: siteDataBlocked });
    await window.send("Hi");
    await window.shows("You said: Hi");
    const name = window.page.getByRole("textbox", { name: "You are" });
    await name.fill("ann");
    await name.press("Enter");
    await window.button("Theme: system").click();
    await window.button("Theme: light").waitFor();
    expect(await name.inputValue()).toBe("ann");
    expect(window.complaints).toEqual([]);
  });

  test.each([true, false])("what a bot threw is behind its error where dev is %s", async (dev) => {
    const canary = "no city canary-5d0a71";
    const runnable = RunnableLambda.from(() => {
      throw new TypeError(canary);
    });
    const bot = defineBot({ id: "bot", title: "Bot", description: "", runnable });
    const { visit } = await open({ bots: [bot], observer: {}, dev });
    const window = await visit();
    await window.send("Hi");
    await window.shows("BOT_FAILED");
    for (const _ of ["live", "from the history"]) {
      const detail = window.messages.locator("details.failure-detail");
      if (!dev) {
        expect(await detail.count()).toBe(0);
        expect(await window.page.content()).not.toContain("canary");
      } else {
        expect(await detail.locator("summary").textContent()).toBe(`TypeError: ${canary}`);
        await detail.locator("summary").click();
        expect(await detail.locator("pre").textContent()).toMatch(/states\.test\.ts:\d+:\d+/);
      }
      await window.page.reload();
      await window.shows("BOT_FAILED");
    }
  });

  test("a refusal that passes does not close a conversation that is open", async () => {
    const { server, visit } = await open();
    const window = await visit();
    await window.send("One");
    await window.shows("You said: One");
    await window.page.reload();
    await window.shows("You said: One");
    const get = vi.spyOn(server.langwire.store.conversations, "get");
    get.mockRejectedValueOnce(refusal());
    await window.send("Two");
    await window.shows("You said: Two");
    await expect.poll(() => get.mock.results.length).toBeGreaterThan(1);
    await window.page.getByRole("heading", { name: "One", level: 1 }).waitFor();
    expect(await window.page.getByText("Not found").count()).toBe(0);
    expect(await window.messages.count()).toBe(4);
  });

  test("a conversation, bots and a list that are refused for the moment are asked for again", async () => {
    const { server, visit } = await open();
    const first = await visit();
    await first.send("One");
    await first.shows("You said: One");
    const { conversations } = server.langwire.store;
    vi.spyOn(server.langwire.bots, "list").mockImplementationOnce(() => {
      throw refusal();
    });
    vi.spyOn(conversations, "list").mockRejectedValueOnce(refusal());
    vi.spyOn(conversations, "get").mockRejectedValueOnce(refusal());
    const window = await visit({ at: new URL(first.address).hash });
    await window.shows("You said: One");
    await window.page.getByRole("navigation").getByRole("link", { name: "One" }).waitFor();
    expect(window.complaints).toEqual([]);
  });

  test("where there are several bots, the list says with which one each conversation is", async () => {
    const botOf = (id: string) =>
      defineBot({
        id,
        title: `The ${id}`,
        description: "",
        runnable: RunnableLambda.from(() => id),
      });
    const { server, visit } = await open({ bots: [botOf("poet"), botOf("cook")] });
    const window = await visit();
    const links = window.page.getByRole("navigation").getByRole("link");
    await window.send("A verse");
    await window.answered();
    await window.button("New conversation").click();
    await window.page.getByText("The cook").click();
    await window.send("A soup");
    await window.answered();
    const names = () => links.allInnerTexts();
    await expect.poll(names).toEqual(["A soup\nThe cook", "A verse\nThe poet"]);

    // One that the server no longer has is known by its id.
    server.langwire.bots.replace([botOf("poet")]);
    await window.page.reload();
    await expect.poll(names).toEqual(["A soup\ncook", "A verse\nThe poet"]);
    await window.button("Delete A soup").click();
    await window.button("Delete").click();
    await expect.poll(names).toEqual(["A verse"]);
  });

  test("one may have a name of any script, and keeps it over a reload", async () => {
    const { visit } = await open();
    const window = await visit();
    const field = window.page.getByRole("textbox", { name: "You are" });
    for (const name of names) {
      await field.fill(name);
      await field.press("Enter");
      await window.send(`I am ${name}`);
      await window.shows(`You said: I am ${name}`);
      await window.page.reload();
      await window.shows(`You said: I am ${name}`);
      expect(await field.inputValue()).toBe(name);
      await window.button("New conversation").click();
    }
    expect(window.complaints).toEqual([]);
  });

  test("a token may be of somebody whose name has joiners", async () => {
    const secret = "a secret of thirty-two bytes or more";
    const { visit } = await open({ authenticate: verifyTokens({ key: { secret } }) });
    const token = await new SignJWT({})
      .setProtectedHeader({ alg: "HS256" })
      .setSubject("علی\u200Cرضا")
      .setExpirationTime("5 minutes")
      .sign(new TextEncoder().encode(secret));
    const window = await visit();
    await window.page.getByLabel("Token").fill(token);
    await window.page.keyboard.press("Enter");
    await window.send("Hi");
    await window.shows("You said: Hi");
  });

  test("a name that the server refuses locks nobody out", async () => {
    const { visit } = await open();
    const window = await visit({ at: "?user=a%E2%80%AEb" });
    await window.shows("That is not a user's id.");
    await window.button("Continue as “local”").click();
    await window.send("Hi");
    await window.shows("You said: Hi");
  });

  test("a title of which nothing can be seen has a name in the list all the same", async () => {
    const { visit } = await open();
    const window = await visit();
    // A space without width, a blank of Braille, a filler of Hangul, marks on nothing.
    await window.send("\u200B\u2800\u3164\u0301\u00AD");
    await window.answered();
    const list = window.page.getByRole("navigation", { name: "Conversations" });
    await list.getByRole("link", { name: "(no title) Test", exact: true }).waitFor();
    await window.button("Delete (no title)").waitFor();
    await textOf(window.page.getByRole("heading", { level: 1 })).toBe("(no title)");
  });

  test("a title that turns directions turns nothing but itself", async () => {
    const { visit } = await open();
    const window = await visit();
    await window.send("abc \u202Edef \u2067ghi");
    await window.answered();
    const list = window.page.getByRole("navigation", { name: "Conversations" });
    await list.getByRole("link", { name: "abc def ghi Test", exact: true }).waitFor();
    await window.button("Delete abc def ghi").waitFor();
    await expect.poll(() => window.page.title()).toBe("abc def ghi – Langwire");
    await textOf(window.page.getByRole("heading", { level: 1 })).toBe("abc def ghi");
    const isIsolated = `[...document.querySelectorAll("nav .title, h1 bdi")]
      .every((element) => getComputedStyle(element).unicodeBidi === "isolate")`;
    expect(await window.page.evaluate(isIsolated)).toBe(true);
  });

  test("all that an answer is made of, while it is made, and the same when the page is loaded again", async () => {
    const { passed, open: goOn } = gate();
    const { visit } = await open({ bots: [partsBot(passed)] });
    const window = await visit();
    await window.send("What does soda cost?");
    const used = window.answers.last().locator(".tool");
    await textOf(used).toContain('{"query":"the price');
    expect(await used.getAttribute("data-state")).toBe("writing");
    goOn();
    await window.answered();
    expect(await used.getAttribute("data-state")).toBe("done");
    await used.locator("summary").click();
    await textOf(used).toContain("Soda costs 2 €.");

    const sources = window.answers.last().getByRole("region", { name: "Sources" });
    await textOf(sources).toContain("The shop shop.example");
    const links = sources.getByRole("link");
    expect(await links.count()).toBe(1);
    expect(await links.getAttribute("href")).toBe("https://shop.example/soda");
    expect(await links.getAttribute("rel")).toContain("noopener");
    await window.answers.last().getByText("prices").click();
    const prices = window.answers.last().locator(".data").filter({ hasText: "prices" });
    await textOf(prices).toMatch(/… [\d,]+ more characters/);
    await window.answers.last().getByText("prices").click();
    await used.locator("summary").click();

    const shown = () => window.answers.last().locator(":scope > :not(.trace)").allInnerTexts();
    const live = await shown();
    await window.button(/^Used search/).click();
    const tree = window.page.getByRole("list", { name: "Steps of the run" });
    const traced = await tree.innerText();
    await window.page.reload();
    await window.answered();
    expect(await shown()).toEqual(live);
    await window.button("How it was made").click();
    await textOf(tree).toBe(traced.trim());
    expect(window.complaints).toEqual([]);
  });

  test("whoever asks how an answer was made of which nothing is kept is told so", async () => {
    const { server, visit } = await open();
    const conversationId = await keepConversation(server.langwire.store, { messages: 2 });
    const window = await visit({ at: `?user=ann#/c/${conversationId}` });
    await window.button("How it was made").click();
    await textOf(window.answers.last().getByRole("status")).toBe("Nothing of it was kept.");
    await window.button("How it was made").click();
    await textOf(window.answers.last()).not.toContain("Nothing of it was kept.");
    expect(await window.button("How it was made").count()).toBe(1);
  });

  test("nothing that is long or hostile breaks the page, and hundreds of parts are drawn in part", async () => {
    const { visit } = await open({ bots: [hostileBot()] });
    const window = await visit({ context: { viewport: { width: 360, height: 640 } } });
    await window.send("Hi");
    await window.answered();
    const answer = window.answers.last();
    expect(await answer.locator(".data").count()).toBeLessThan(200);
    await window.button(/^Show \d+ more parts$/).click();
    expect(await answer.locator(".data").count()).toBe(300);
    await answer.getByRole("region", { name: "Sources" }).getByRole("button").click();
    expect(await answer.locator(".sources li").count()).toBeGreaterThan(20);
    expect(await answer.innerText()).not.toContain("\u202E");
    const width = "document.documentElement.scrollWidth - innerWidth";
    expect(await window.page.evaluate(width)).toBe(0);
    const sticksOut = `[...document.querySelectorAll(".answer *")]
      .filter((element) => element.getBoundingClientRect().right > innerWidth).length`;
    expect(await window.page.evaluate(sticksOut)).toBe(0);
    expect(window.complaints).toEqual([]);
  });
});
