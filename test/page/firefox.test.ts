/** The page in Firefox, driven by WebDriver BiDi: what a person does there, from signing in to a reload. */
import { SignJWT } from "jose";
import puppeteer, { type Browser, type Page } from "puppeteer-core";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { verifyTokens } from "../../src/server/access/auth.ts";
import { buildPage } from "../support/built-page.ts";
import { describeWithBrowser } from "./browsers.ts";
import { gate, startSite } from "./site.ts";

const secret = "a secret of thirty-two bytes or more";
const patienceMs = 30_000;

const firefox = {
  title: "Firefox",
  programs: ["firefox-esr", "firefox"],
  debianPackage: "firefox-esr",
};

describeWithBrowser("the page in Firefox", firefox, (executablePath) => {
  const stack = new AsyncDisposableStack();
  let browser: Browser;
  let pageDir: string;
  beforeAll(async () => {
    pageDir = await buildPage(stack);
    browser = await puppeteer.launch({ browser: "firefox", executablePath, headless: true });
    stack.defer(() => browser.close());
  });
  afterAll(() => stack.disposeAsync());

  async function visit(address: string): Promise<{ page: Page; complaints: string[] }> {
    const context = await browser.createBrowserContext();
    onTestFinished(() => context.close());
    const page = await context.newPage();
    page.setDefaultTimeout(patienceMs);
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    await page.goto(address);
    return { page, complaints };
  }

  const shows = (page: Page, words: string) =>
    page.waitForFunction(`document.body.innerText.includes(${JSON.stringify(words)})`);

  async function send(page: Page, text: string): Promise<void> {
    await page.locator("#message-field").fill(text);
    await page.keyboard.press("Enter");
  }

  test("signing in, an answer as it is made, a reload in its middle, a table, a second message", async () => {
    const { provider, address } = await startSite({
      pageDir,
      authenticate: verifyTokens({ key: { secret } }),
    });
    const token = await new SignJWT({})
      .setProtectedHeader({ alg: "HS256" })
      .setSubject("علی\u200Cرضا")
      .setExpirationTime("5 minutes")
      .sign(new TextEncoder().encode(secret));
    const { passed, open: finish } = gate();
    provider.answer({
      steps: ["| drink | bubbles |\n|---|---|\n| soda ", { until: passed }, "| yes |\n\nThe end."],
    });
    const { page, complaints } = await visit(address);
    await page.locator("input[type=password]").wait();
    await page.type("input[type=password]", token);
    await page.keyboard.press("Enter");
    await send(page, "Tell me");
    await shows(page, "soda");
    await page.reload();
    await shows(page, "soda");
    finish();
    await shows(page, "The end.");
    const cells = `[...document.querySelectorAll("td")].map((cell) => cell.textContent)`;
    expect(await page.evaluate(cells)).toEqual(["soda", "yes"]);
    await page.locator('button[aria-label="Send"]').setVisibility("visible").wait();
    await send(page, "And now?");
    await shows(page, "You said: And now?");
    expect(provider.calls).toHaveLength(2);
    expect(complaints).toEqual([]);
  });

  test("as wide as a phone: nothing sticks out, the list opens, a selection stays while an answer grows", async () => {
    const { provider, address } = await startSite({ pageDir });
    const { passed, open: finish } = gate();
    const wide = `| ${"wide ".repeat(40)}| b |\n|---|---|\n| 1 | 2 |\n\n\`${"x".repeat(200)}\`\n\n`;
    provider.answer({ steps: [wide, "Some words", { until: passed }, " and more."] });
    const { page, complaints } = await visit(address);
    await page.setViewport({ width: 360, height: 640 });
    await send(page, "Hi");
    await shows(page, "Some words");
    const select = `{
      const last = [...document.querySelectorAll(".markdown p")].at(-1).firstChild;
      getSelection().setBaseAndExtent(last, 0, last, 4);
    }`;
    await page.evaluate(select);
    finish();
    await shows(page, "Some words and more.");
    expect(await page.evaluate("String(getSelection())")).toBe("Some");
    expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBe(0);
    // What is out of sight within the messages is out of nothing else.
    provider.answer({ steps: ["سلام\n\n", "line\n\n".repeat(30)] });
    await send(page, "Again");
    await page.waitForFunction("document.querySelectorAll('.answer footer').length === 2");
    await send(page, "And again");
    await page.waitForFunction("document.querySelectorAll('.answer footer').length === 3");
    expect(await page.evaluate("document.documentElement.scrollHeight - innerHeight")).toBe(0);
    const isOnTheRight = `(() => {
      const element = [...document.querySelectorAll(".markdown p")].find((p) => p.textContent === "سلام");
      const words = document.createRange();
      words.selectNodeContents(element);
      return words.getBoundingClientRect().right === element.getBoundingClientRect().right;
    })()`;
    expect(await page.evaluate(isOnTheRight)).toBe(true);
    await page.locator('button[aria-label="Conversations"]').click();
    await page.locator("nav a").setVisibility("visible").wait();
    expect(complaints).toEqual([]);
  });
});
