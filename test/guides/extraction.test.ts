/** docs/guides/extraction.md, as written: a typed answer in a script, and on a page while it is written. */
import { expect, test } from "vitest";
import { describeWithChromium } from "../page/site.ts";
import { startMockProvider } from "../support/mock-provider.ts";
import { followGuide } from "./follow-guide.ts";

describeWithChromium("the guide to extraction", (_open, browse) => {
  test("an invoice's lines are printed, and come to a page before its total", async () => {
    await using provider = await startMockProvider();
    const { promise: seen, resolve: see } = Promise.withResolvers<void>();
    const lines = [
      '{"seller":"Miller\'s Drinks","lines":[{"item":"Soda","amount":2.5},',
      '{"item":"Cider","amount":4}]',
    ];
    provider.answer({ steps: [...lines, ',"total":6.5}'] });
    provider.answer({ steps: [...lines, { until: seen }, ',"total":6.5}'] });
    await using guide = await followGuide("extraction", {
      env: { OPENAI_BASE_URL: provider.baseUrl },
    });

    const page = await browse();
    await page.goto(`http://localhost:${await guide.portOf(5173)}/`);
    await page.getByRole("textbox").fill("Miller's Drinks. Soda 2.50, cider 4.00. Thank you!");
    await page.getByRole("button", { name: "Read" }).click();
    await page.getByText("Soda: 2.5").waitFor();
    expect(await page.getByText("Total").count()).toBe(0);
    see();
    await page.getByText("Total: 6.5").waitFor();
    await page.getByText("Cider: 4").waitFor();
  });
});
