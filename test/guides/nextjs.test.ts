/** docs/guides/nextjs.md, as written: inside of Next.js, then beside it, built and started both times. */
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { describeWithChromium } from "../page/site.ts";
import { type MockProvider, startMockProvider } from "../support/mock-provider.ts";
import { withOwnInstall } from "../support/own-install.ts";
import { followGuide } from "./follow-guide.ts";

interface Visit {
  readonly provider: MockProvider;
  readonly url: string;
  /** What the page's connections to Langwire are. */
  readonly by: "EventSource" | "WebSocket";
}

/** Asks, reloads in the middle of the answer, and looks at what the server renders afterwards. */
async function visit(page: Page, { provider, url, by }: Visit): Promise<void> {
  const complaints: string[] = [];
  const opened = new Set<string>();
  page.on("pageerror", ({ message }) => complaints.push(message));
  page.on("console", (said) => {
    // A conversation that nobody has begun is a 404, and so is the site's icon.
    const isOurs = said.type() === "error" && !/^Failed to load resource/.test(said.text());
    if (isOurs) complaints.push(said.text());
  });
  page.on("websocket", () => opened.add("WebSocket"));
  page.on("request", (request) => {
    if (request.url().includes("/api/langwire/chat.")) opened.add("EventSource");
  });
  const { promise, resolve: finish } = Promise.withResolvers<void>();
  provider.answer({ steps: ["It ", "fizzes", { until: promise }, " & foams."] });
  await page.goto(url);
  expect(page.url()).toMatch(/\/chat\/[\da-f-]{36}$/);
  await page.getByLabel("Message").fill("Soda?");
  await page.getByRole("button", { name: "Send" }).click();
  await page.getByText("It fizzes").waitFor();
  await page.reload();
  await page.getByText("It fizzes").waitFor();
  finish();
  await page.getByText("It fizzes & foams.").waitFor();
  const html = await (await fetch(page.url())).text();
  expect(html).toMatch(/<p data-role="human">Soda\?<\/p><p data-role="ai">It fizzes &amp; foams\./);
  await page.reload();
  await page.getByText("It fizzes & foams.").waitFor();
  expect([...opened]).toEqual([by]);
  expect(complaints).toEqual([]);
}

await withOwnInstall("guides", "the guide to Next.js", async () => {
  describeWithChromium("the guide to Next.js", (_open, browse) => {
    test("a conversation streams, survives a reload, and is rendered by the server", async () => {
      await using provider = await startMockProvider();
      const env = { OPENAI_BASE_URL: provider.baseUrl, NEXT_TELEMETRY_DISABLED: "1" };
      await using guide = await followGuide("nextjs", {
        env,
        packed: true,
        before: async (next, follower) => {
          if (!next.startsWith("PORT=4000")) return;
          const url = `http://localhost:${await follower.portOf(3000)}/`;
          await visit(await browse(), { provider, url, by: "EventSource" });
          // Two processes cannot have one folder of data.
          await follower.stopServer("npx next start");
        },
      });
      const url = `http://localhost:${await guide.portOf(3000)}/`;
      const page = await browse();
      await visit(page, { provider, url, by: "WebSocket" });
      // Next.js waits for what is open.
      await page.close();
    }, 400_000);
  });
});
