/** Several windows and people; networks and servers that go away and come back. */
import { SignJWT } from "jose";
import { expect, test } from "vitest";
import { verifyTokens } from "../../src/server/access/auth.ts";
import { describeWithChromium, gate, textOf } from "./site.ts";

describeWithChromium("the page: windows, people, networks", (open) => {
  test("a conversation is shared by its link, watched as it happens, and answered by both", async () => {
    const { provider, visit } = await open();
    const { passed, open: finish } = gate();
    const ann = await visit({ at: "?user=ann" });
    await ann.send("Hello");
    await ann.answered();
    await ann.button("Share").click();
    await ann.button("Make a link").click();
    const link = await ann.page.getByRole("textbox", { name: "Link" }).inputValue();
    await ann.button("Close").click();

    const bob = await visit({ at: `?user=bob#${new URL(link).hash.slice(1)}` });
    await bob.shows("You said: Hello");
    provider.answer({ steps: ["Watch ", { until: passed }, "this"] });
    await ann.send("Look");
    await bob.shows("Watch");
    await textOf(bob.messages.nth(2)).toContain("ann");
    finish();
    await bob.shows("Watch this");
    await bob.send("I see");
    await ann.shows("You said: I see");
    await textOf(ann.messages.nth(4)).toContain("bob");

    // The list of either has it, and the one who joined can leave.
    await bob.button("Leave Hello").click();
    await bob.page.getByRole("dialog").getByRole("button", { name: "Leave" }).click();
    await bob.shows("Who would you like to talk to?");
    await ann.button("Shared").click();
    await ann.button("Stop sharing").click();
    await ann.button("Make a link").waitFor();
  });

  test("one's own second window is the same conversation, and either stops the answer", async () => {
    const { provider, visit } = await open();
    provider.answer({ steps: ["On and on", "stall"] });
    const one = await visit();
    await one.send("Go");
    await one.shows("On and on");
    const two = await visit({ at: new URL(one.address).hash });
    await two.shows("On and on");
    await two.button("Stop").click();
    await one.shows("Stopped here.");
    await two.shows("Stopped here.");
  });

  test("a conversation that is not there, or not shared, says so", async () => {
    const { visit } = await open();
    const ann = await visit({ at: "?user=ann" });
    await ann.send("Secret");
    await ann.answered();
    const { hash } = new URL(ann.address);
    const bob = await visit({ at: `?user=bob${hash}` });
    await bob.shows("This conversation is not there, or it is not shared with you.");
    await bob.button("Start a new one").click();
    await bob.shows("Who would you like to talk to?");
  });

  test("a lost connection is shown, the answer goes on without it, and nothing is missing", async () => {
    const { provider, proxy, visit } = await open();
    const { passed, open: finish } = gate();
    provider.answer({ steps: ["Before, ", { until: passed }, "during, ", "after."] });
    const window = await visit();
    await window.send("Go");
    await window.shows("Before,");
    proxy.refuse();
    proxy.cut();
    await window.shows("Reconnecting…");
    finish();
    expect(await (await provider.call(0)).closed).toBe("ended");
    proxy.accept();
    await window.shows("Before, during, after.");
    await window.shows("Connected");
    await window.answered();
    expect(provider.calls).toHaveLength(1);
  });

  test("offline is said, and what was written meanwhile is sent when the network is back", async () => {
    const { proxy, provider, visit } = await open();
    const window = await visit();
    await window.send("One");
    await window.answered();
    await window.context.setOffline(true);
    proxy.refuse();
    proxy.cut();
    await window.shows("Offline");
    await window.send("Two");
    await window.shows("Two");
    proxy.accept();
    await window.context.setOffline(false);
    await window.shows("You said: Two");
    expect(provider.calls).toHaveLength(2);
  });

  test("a server that asks for tokens is signed in to, and out of", async () => {
    const secret = "a secret of thirty-two bytes or more";
    const { visit } = await open({ authenticate: verifyTokens({ key: { secret } }) });
    const token = await new SignJWT({})
      .setProtectedHeader({ alg: "HS256" })
      .setSubject("ann")
      .setExpirationTime("5 minutes")
      .sign(new TextEncoder().encode(secret));
    const window = await visit();
    const field = window.page.getByLabel("Token");
    await field.fill("not a token");
    await field.press("Enter");
    await window.shows("The token is not valid.");
    await field.fill(token);
    await field.press("Enter");
    await window.send("Hi");
    await window.shows("You said: Hi");
    await window.page.reload();
    await window.shows("You said: Hi");
    await window.field.fill("Nobody else's");
    await window.button("Sign out").click();
    await field.waitFor();
    // What was left unsent is for no one who comes after.
    expect(await window.page.evaluate("JSON.stringify(sessionStorage)")).not.toContain("Nobody");
  });

  test("two names in two windows are two people", async () => {
    const { visit } = await open();
    const window = await visit();
    await window.send("Mine");
    await window.answered();
    const name = window.page.getByRole("textbox", { name: "You are" });
    expect(await name.inputValue()).toBe("local");
    await window.button("New conversation").click();
    await name.fill("somebody");
    await name.press("Enter");
    await window.shows("Nothing here yet.");
  });
});
