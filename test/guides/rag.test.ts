/** docs/guides/rag.md, as written: sources in a script, and in a component on the hook. */
import { createElement } from "react";
import { expect, test } from "vitest";
import { createClient } from "../../client/src/index.ts";
import { mount } from "../react/browser.ts";
import { startMockProvider } from "../support/mock-provider.ts";
import { followGuide } from "./follow-guide.ts";

test("the answer's sources are printed, and shown below it", async () => {
  await using provider = await startMockProvider();
  provider.answerAll({ steps: ["On Sundays ", "we open at noon [1]."] });
  await using guide = await followGuide("rag", { env: { OPENAI_BASE_URL: provider.baseUrl } });

  expect(JSON.stringify(provider.calls[0]?.request.messages)).toContain("[1] The shop opens");
  const url = `ws://127.0.0.1:${await guide.portOf(3000)}/trpc`;
  await using client = createClient({ url });
  const { HelpDesk } = await import(/* @vite-ignore */ `${guide.folder}/helpdesk.tsx`);
  const page = mount(createElement(HelpDesk, { client }));
  page.click("button");
  await page.shows("On Sundays we open at noon [1].Opening hours: The shop opens at nine");
});
