/** docs/guides/auth.md, as written: a cookie's session, and Auth.js's, in a real browser. */
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { describeWithChromium } from "../page/site.ts";
import { withOwnInstall } from "../support/own-install.ts";
import { type Follower, followGuide } from "./follow-guide.ts";

const dev = "npx langwire dev bots.ts";
const site = "node --env-file=.env site.ts";

/** Signed in already: asks on Langwire's own page. */
async function askWho(page: Page, follower: Pick<Follower, "portOf">): Promise<void> {
  await page.goto(`http://localhost:${await follower.portOf(3000)}/`);
  const message = page.getByLabel("Message", { exact: true });
  await message.fill("Who am I?");
  await message.press("Enter");
  await page.getByText("You are ann.").filter({ visible: true }).first().waitFor();
}

await withOwnInstall("guides", "the guide to cookies and Auth.js", async () => {
  describeWithChromium("the guide to cookies and Auth.js", (_open, browse) => {
    test("who has a session is known, by a cookie and by Auth.js; who has none is told", async () => {
      let secrets = 0;
      await using guide = await followGuide("auth", {
        before: async (next, follower) => {
          if (next !== ".env") return;
          secrets += 1;
          if (secrets === 1) return;
          const page = await browse();
          await page.goto(`http://localhost:${await follower.portOf(8080)}/?user=ann`);
          await askWho(page, follower);
          await follower.stopServer(dev);
          await follower.stopServer(site);
        },
      });
      expect(secrets).toBe(2);
      const page = await browse();
      const api = `http://localhost:${await guide.portOf(3000)}/trpc/bots.list`;
      expect((await page.request.get(api)).status()).toBe(401);
      await page.goto(new URL("/", api).href);
      await page.getByText("Sign in again").waitFor();
      await page.goto(`http://localhost:${await guide.portOf(8080)}/auth/signin`);
      await page.getByLabel("Name").fill("Ann");
      await page.keyboard.press("Enter");
      await page.waitForURL((url) => !url.pathname.endsWith("/signin"));
      await askWho(page, guide);
    });
  });
});
