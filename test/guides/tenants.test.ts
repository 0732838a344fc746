/** docs/guides/tenants.md, as written: each company's tool sees its own, and plans have their limits. */
import { expect, test } from "vitest";
import { startMockProvider } from "../support/mock-provider.ts";
import { followGuide } from "./follow-guide.ts";

test("two companies get their own orders, and what their plans allow", async () => {
  await using provider = await startMockProvider();
  provider.answerAll(({ request, lastText }) =>
    request.messages.at(-1)?.role === "tool"
      ? { steps: [lastText] }
      : { steps: [{ toolCall: "open_orders", args: {} }] },
  );
  await using guide = await followGuide("tenants", { env: { OPENAI_BASE_URL: provider.baseUrl } });
  const asked = JSON.stringify(provider.calls.map(({ request }) => request));
  for (const company of ["acme", "globex"]) {
    expect(asked).not.toContain(company);
    expect(guide.log).not.toContain(company);
  }
});
