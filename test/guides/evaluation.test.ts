/** docs/guides/evaluation.md, as written: an export is read, and its questions are asked again. */
import { expect, test } from "vitest";
import { startMockProvider } from "../support/mock-provider.ts";
import { followGuide } from "./follow-guide.ts";

test("what was asked is exported, folded again, and answered by the bots of now", async () => {
  await using provider = await startMockProvider();
  for (const text of ["We open at noon.", "At nine.", "On Sundays from noon.", "At nine."]) {
    provider.answer({ steps: text.split(/(?<= )/) });
  }
  await using _guide = await followGuide("evaluation", {
    env: { OPENAI_BASE_URL: provider.baseUrl },
  });
  expect(provider.calls).toHaveLength(4);
  // What was said before goes along, as the bot of now said it.
  expect(JSON.stringify(provider.calls[3]?.request.messages)).toContain("On Sundays from noon.");
});
