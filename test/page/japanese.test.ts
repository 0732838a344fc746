/** The page in the language of the browser: in Japanese nothing is left in English but what is no word. */
import { dispatchCustomEvent } from "@langchain/core/callbacks/dispatch";
import { Document } from "@langchain/core/documents";
import { type RunnableConfig, RunnableLambda } from "@langchain/core/runnables";
import { FakeRetriever } from "@langchain/core/utils/testing";
import { tool } from "langchain";
import { expect, test } from "vitest";
import { z } from "zod";
import { japanese } from "../../client/page/language/japanese.ts";
import { japaneseErrors } from "../../client/page/language/japanese-errors.ts";
import { defineBot } from "../../src/bots/bot.ts";
import { LangwireError } from "../../src/protocol/errors.ts";
import { ShapedModel } from "../support/shaped-model.ts";
import { describeWithChromium, gate, type Window } from "./site.ts";

const locale = "ja-JP";

/** Names, keys of the keyboard and of JSON, codes of errors, LangChain's classes, and what the test named so. */
const noWords =
  /Langwire|Enter|Shift|localhost|\blocal\b|\bann\b|\bbob\b|\b[A-Z]+(?:_[A-Z]+)+\b|RunnableLambda|ShapedModel|FakeRetriever|\bstop\b|"\w+":|"ai"|\bja\b|https?:\/\/\S+|shop\.example/g;

/** What can be seen, heard or pointed at, of which a word is in Latin letters. */
async function englishIn({ page }: Window): Promise<string[]> {
  const found = `(() => {
    const texts = [document.title, document.body.innerText];
    for (const element of document.querySelectorAll("body *")) {
      for (const name of ["aria-label", "title", "placeholder", "alt"]) {
        texts.push(element.getAttribute(name) ?? "");
      }
      if (element.matches(".visually-hidden, [role=status]")) texts.push(element.textContent);
    }
    return texts;
  })()`;
  const texts: string[] = await page.evaluate(found);
  const lines = texts.flatMap((text) => text.split("\n"));
  return lines.filter((line) => /[A-Za-z]{2}/.test(line.replaceAll(noWords, "")));
}

/** Says everything in Japanese, and has every part that an answer may have. */
function japaneseBot(until: Promise<void>) {
  const search = tool(() => ["二百円", { rows: [1] }], {
    ...{ name: "検索", description: "", schema: z.object({ 語: z.string() }) },
    responseFormat: "content_and_artifact",
  });
  const documents = [
    new Document({
      pageContent: "炭酸水は二百円",
      metadata: { title: "店", source: "https://shop.example/1" },
    }),
    new Document({ pageContent: "値段", metadata: {} }),
  ];
  const info = { finish_reason: "stop" };
  const reply = new ShapedModel({
    provider: "openai",
    calls: [
      [
        { message: { additional_kwargs: { reasoning_content: "考え中" } } },
        {
          message: { content: "炭酸水は二百円です。\n\n```\n二百\n```\n\n| 値 |\n| - |\n| 2 |\n" },
        },
        { info },
      ],
    ],
  });
  return defineBot({
    ...{ id: "ja", title: "店員", description: "値段を答えます。", expose: "all" },
    input: ({ message }) => message,
    runnable: RunnableLambda.from(async (message: string, config: RunnableConfig) => {
      if (message === "失敗") throw new LangwireError("MODEL_RATE_LIMIT", { retryAfterMs: 60_000 });
      await search.invoke(
        { type: "tool_call", id: "1", name: "検索", args: { 語: "値段" } },
        config,
      );
      await new FakeRetriever({ output: documents }).invoke("値段", config);
      await dispatchCustomEvent("値段", { list: Array(5).fill("値".repeat(6_000)) }, config);
      await until;
      return await reply.invoke("値段", config);
    }),
  });
}

describeWithChromium("the page in Japanese", (open) => {
  test("nothing is in English, from the first sight to an answer, its sources and its trace", async () => {
    const { passed, open: goOn } = gate();
    const { visit } = await open({
      bots: [japaneseBot(passed)],
      runLimits: { maxMessageLength: 50 },
    });
    const ann = await visit({ at: "?user=ann", context: { locale } });
    const { page } = ann;
    const isJapanese = async (state: string) => expect(await englishIn(ann), state).toEqual([]);
    await ann.shows(japanese.whoToTalkTo);
    expect(await page.evaluate("document.documentElement.lang")).toBe("ja");
    await isJapanese("welcome");

    const field = page.locator("#message-field");
    await field.fill("値".repeat(2_000));
    await ann.shows("2,000 文字");
    await isJapanese("too long");
    await field.fill("炭酸水の値段");
    await field.press("Enter");
    await page.locator(".data").first().waitFor();
    await isJapanese("streaming");
    goOn();
    await page.locator(".answer footer").waitFor();
    const unfold = `for (const one of document.querySelectorAll("details")) one.open = true;`;
    await page.locator(".trace > button").click();
    await page.getByRole("list", { name: japanese.stepsOfRun }).waitFor();
    await page.evaluate(unfold);
    await ann.shows(/残り [\d,]+ 文字/);
    await ann.shows(japanese.reasoning);
    await ann.shows(japanese.spanFinish);
    await isJapanese("answered");

    await field.fill("失敗");
    await field.press("Enter");
    await ann.shows(japaneseErrors.MODEL_RATE_LIMIT);
    await ann.shows("60 秒後に");
    await isJapanese("failed");
    expect(ann.complaints).toEqual([]);
  });

  test("nor is anything in what is done with conversations, by their owner and by others", async () => {
    const { passed, open: goOn } = gate();
    goOn();
    const { proxy, visit } = await open({ bots: [japaneseBot(passed)] });
    const ann = await visit({ at: "?user=ann", context: { locale } });
    const isJapanese = async (window: Window, state: string) =>
      expect(await englishIn(window), state).toEqual([]);
    await ann.page.locator("#message-field").fill("値段");
    await ann.page.locator("#message-field").press("Enter");
    await ann.page.locator(".answer footer").waitFor();
    await ann.button(japanese.share).click();
    await isJapanese(ann, "before sharing");
    await ann.button(japanese.makeLink).click();
    const link = await ann.page.getByRole("textbox", { name: japanese.link }).inputValue();
    await isJapanese(ann, "sharing");
    await ann.button(japanese.close).click();
    await ann.button(japanese.rename("値段")).click();
    await ann.page.getByRole("textbox", { name: japanese.titleField }).waitFor();
    await isJapanese(ann, "renaming");
    await ann.page.keyboard.press("Escape");
    await ann.button(japanese.deleteOne("値段")).click();
    await ann.shows("参加している全員");
    await isJapanese(ann, "deleting");
    await ann.button(japanese.cancel).click();

    const { hash } = new URL(link);
    const bob = await visit({ at: `?user=bob${hash}`, context: { locale } });
    await bob.page.locator(".answer footer").waitFor();
    await bob.button(japanese.leaveOne("値段")).click();
    await bob.shows(japanese.leaveQuestion);
    await isJapanese(bob, "leaving");
    const lost = hash.replace(/.$/, (last) => (last === "0" ? "1" : "0"));
    const stranger = await visit({ at: lost, context: { locale } });
    await stranger.shows(japanese.notFoundReason);
    await isJapanese(stranger, "not found");
    proxy.refuse();
    proxy.cut();
    await bob.shows(japanese.reconnecting);
    await isJapanese(bob, "reconnecting");
    await bob.context.setOffline(true);
    await bob.shows(japanese.offline);
    await isJapanese(bob, "offline");
  });

  test("nor is the way in", async () => {
    const { visit } = await open({
      authenticate: ({ connectionParams }) => {
        if (connectionParams?.token !== "ours") throw new LangwireError("UNAUTHORIZED");
        return { userId: "ann" };
      },
    });
    const window = await visit({ at: "?user=bob", context: { locale } });
    await window.shows(japaneseErrors.UNAUTHORIZED);
    await window.button(japanese.continue).waitFor();
    expect(await englishIn(window)).toEqual([]);
  });
});
