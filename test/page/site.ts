/**
 * The chat page in a real browser, on a real server, with a provider that says what a test tells it.
 *
 *   describeWithChromium("what is tested", (open) => {
 *     test("…", async () => {
 *       const site = await open();
 *       site.provider.answer({ steps: ["Hel", "lo"] });
 *       const window = await site.visit();
 *       await window.send("Hi");
 *       await window.shows("Hello");
 *     });
 *   });
 */
import { ChatOpenAI } from "@langchain/openai";
import {
  type Browser,
  type BrowserContext,
  chromium,
  type Locator,
  type Page,
} from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished } from "vitest";
import { agentBot } from "../../src/shipped/agent-bot.ts";
import {
  startTestServer,
  type TestServer,
  type TestServerOptions,
} from "../../src/testing/index.ts";
import { buildPage } from "../support/built-page.ts";
import { type MockProvider, startMockProvider } from "../support/mock-provider.ts";
import { openaiBot } from "../support/openai-bot.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { describeWithBrowser } from "./browsers.ts";

export interface ServedPage {
  readonly provider: MockProvider;
  readonly server: TestServer;
  /** Between the windows and the server. */
  readonly proxy: TcpProxy;
  /** Where the page is. */
  readonly address: string;
}

export interface Site extends ServedPage {
  visit(options?: VisitOptions): Promise<Window>;
}

export interface VisitOptions {
  /** What follows the page's address: `?user=ann`, `#/c/…`. */
  readonly at?: string;
  /** Default: 127.0.0.1. `plain.test` is the same machine, without a browser's trust in its own. */
  readonly host?: string;
  readonly context?: Parameters<Browser["newContext"]>[0];
  /** Runs before the page does. */
  readonly script?: string;
}

export type Open = (options?: Partial<TestServerOptions>) => Promise<Site>;

/** A browser window with nothing in it, for pages that are not ours. */
export type Browse = () => Promise<Page>;

/** How long something may take to appear. */
const patienceMs = 30_000;

const browserArguments = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // A host that is not the browser's own machine: what came from there over HTTP is not trusted.
  "--host-resolver-rules=MAP plain.test 127.0.0.1",
];

/** Declares tests that need Chromium. */
export function describeWithChromium(
  name: string,
  declare: (open: Open, browse: Browse) => void,
): void {
  const programs = ["chromium", "chromium-browser", "google-chrome"];
  const need = { title: "Chromium", programs, debianPackage: "chromium" };
  describeWithBrowser(name, need, (executablePath) => {
    const stack = new AsyncDisposableStack();
    let browser: Browser;
    beforeAll(async () => {
      browser = await chromium.launch({ executablePath, args: browserArguments });
      stack.defer(() => browser.close());
    });
    afterAll(() => stack.disposeAsync());
    let built: Promise<string> | undefined;
    const open: Open = async (options) => {
      built ??= buildPage(stack);
      return openSite(browser, { pageDir: await built, ...options });
    };
    const browse: Browse = async () => {
      const context = await browser.newContext();
      onTestFinished(() => context.close());
      return context.newPage();
    };
    declare(open, browse);
  });
}

/** The server, and a provider that says what the test tells it, until the test is over. */
export async function startSite(options: Partial<TestServerOptions>): Promise<ServedPage> {
  const stack = new AsyncDisposableStack();
  onTestFinished(() => stack.disposeAsync());
  const provider = stack.use(await startMockProvider());
  const model = new ChatOpenAI({
    model: "gpt-4.1-mini",
    apiKey: "test-key",
    maxRetries: 0,
    configuration: { baseURL: provider.baseUrl },
  });
  const bots = [openaiBot(provider.baseUrl), agentBot({ model })];
  const server = stack.use(await startTestServer({ bots, ...options }));
  const proxy = stack.use(await startTcpProxy({ port: server.port }));
  return { provider, server, proxy, address: `http://127.0.0.1:${proxy.port}/` };
}

async function openSite(browser: Browser, options: Partial<TestServerOptions>): Promise<Site> {
  const served = await startSite(options);
  const { address } = served;
  return {
    ...served,
    async visit({ at = "", host, context, script } = {}) {
      const opened = await browser.newContext({
        viewport: { width: 1100, height: 760 },
        reducedMotion: "reduce",
        ...context,
      });
      onTestFinished(() => opened.close());
      if (script !== undefined) await opened.addInitScript(script);
      const page = await opened.newPage();
      const window = new Window(opened, page);
      const home = new URL(address);
      home.hostname = host ?? home.hostname;
      await page.goto(`${home}${at}`);
      return window;
    },
  };
}

/** One window of the page, by what its reader sees and does. */
export class Window {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What the browser complained about: scripts that failed, what the security policy forbade. */
  readonly complaints: string[] = [];
  readonly field: Locator;
  /** Messages of people and answers of bots, in their order. */
  readonly messages: Locator;
  readonly answers: Locator;

  constructor(context: BrowserContext, page: Page) {
    this.context = context;
    this.page = page;
    page.setDefaultTimeout(patienceMs);
    page.on("pageerror", ({ message }) => this.complaints.push(message));
    page.on("console", (message) => {
      if (message.type() === "error") this.complaints.push(message.text());
    });
    this.field = page.getByRole("textbox", { name: "Message" });
    this.messages = page.getByRole("region", { name: "Messages" }).locator("ol > li:not(li li)");
    this.answers = page.locator(".answer");
  }

  button(name: string | RegExp): Locator {
    return this.page.getByRole("button", { name, exact: true });
  }

  async send(text: string): Promise<void> {
    await this.field.fill(text);
    await this.field.press("Enter");
  }

  /** Settles once the text is there to be seen. */
  async shows(text: string | RegExp): Promise<void> {
    await this.page.getByText(text).filter({ visible: true }).first().waitFor();
  }

  /** Settles once there is an answer, whole or not, and it is no longer being made. */
  async answered(): Promise<void> {
    await this.button("Send").waitFor();
    await this.answers.last().locator("footer").waitFor();
  }

  get address(): string {
    return this.page.url();
  }
}

/** Settles once the locator's text is as expected. */
export function textOf(locator: Locator) {
  return expect.poll(async () => (await locator.innerText()).trim(), { timeout: patienceMs });
}

/** The text in pieces of so many characters, as a provider sends it. */
export function piecesOf(text: string, length: number): string[] {
  const count = Math.ceil(text.length / length);
  return Array.from({ length: count }, (_, at) => text.slice(at * length, (at + 1) * length));
}

/** A promise with its own key, for answers that wait in the middle. */
export function gate(): { readonly passed: Promise<void>; open(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { passed: promise, open: resolve };
}
