/** The page for users who are signed in by an application's own cookies. */
import { RunnableLambda } from "@langchain/core/runnables";
import { expect, test } from "vitest";
import { z } from "zod";
import { defineBot } from "../../src/index.ts";
import type { Authenticate } from "../../src/server/access/identify.ts";
import { describeWithChromium, type Open, type VisitOptions } from "./site.ts";

const pages = { signInUrl: "/healthz?next={url}", signOutUrl: "/healthz?out" };
const tenants: Readonly<Record<string, string>> = { anna: "acme", bob: "globex" };

const mine = defineBot({
  id: "mine",
  title: "Mine",
  description: "Says whose data it reads.",
  context: z.object({ tenant: z.string() }),
  runnable: RunnableLambda.from((_input: unknown, config) => {
    const { context } = config as unknown as { readonly context: { readonly tenant: string } };
    return `Data of ${context.tenant}`;
  }),
});

function withCookie(session: string): VisitOptions {
  const cookie = { name: "session", value: session, domain: "127.0.0.1", path: "/" };
  const rest = { expires: -1, httpOnly: true, secure: false, sameSite: "Lax" as const };
  return { context: { storageState: { cookies: [{ ...cookie, ...rest }], origins: [] } } };
}

describeWithChromium("the page with sessions in cookies", (open) => {
  async function openWithSessions(options: Parameters<Open>[0] = {}) {
    const expiresAt = new Map<string, number>();
    const signedOut = new Set<string>();
    const asked: string[] = [];
    const authenticate: Authenticate = ({ cookies: { session = "" } }) => {
      asked.push(session);
      const tenant = tenants[session];
      if (tenant === undefined || signedOut.has(session)) return null;
      const name = session === "anna" ? "Anna Ahn" : undefined;
      const ends = expiresAt.get(session);
      return { userId: session, name, context: { tenant }, expiresAt: ends };
    };
    const site = await open({ bots: [mine], authenticate, ...pages, ...options });
    return { ...site, expiresAt, signedOut, asked };
  }

  test("who has no session is told so at once, and where to sign in", async () => {
    const { asked, visit } = await openWithSessions();
    const window = await visit();
    const link = window.page.getByRole("link", { name: "Sign in" });
    await link.waitFor();
    // Its socket and its question for the session, and nobody who tries again.
    expect(asked.length).toBeLessThanOrEqual(2);
    const next = encodeURIComponent(window.address);
    expect(await link.getAttribute("href")).toBe(`/healthz?next=${next}`);
    expect(await window.page.getByRole("textbox").count()).toBe(0);
  });

  test("where the application signs in, and no address of it is known, no token is asked for", async () => {
    const known = new Set<string>();
    const { visit } = await openWithSessions({
      signInUrl: undefined,
      authenticate: ({ cookies: { session = "" } }) =>
        known.has(session) ? { userId: session, context: { tenant: "acme" } } : null,
    });
    const window = await visit(withCookie("anna"));
    await window.shows("The application that this chat belongs to signs you in");
    expect(await window.page.getByRole("textbox").count()).toBe(0);
    known.add("anna");
    await window.page.getByRole("button", { name: "Try again" }).click();
    await window.send("Whose is it?");
    await window.shows("Data of acme");
  });

  test("two tenants are each told of their own, see their names, and sign out", async () => {
    const { visit } = await openWithSessions();
    for (const [session, name] of [
      ["anna", "Anna Ahn"],
      ["bob", "bob"],
    ] as const) {
      const window = await visit(withCookie(session));
      await window.send("Whose is it?");
      await window.shows(`Data of ${tenants[session]}`);
      await window.shows(name);
      await window.page.getByRole("link", { name: "Sign out" }).click();
      await expect.poll(() => window.address).toContain("/healthz?out");
    }
  });

  test("one's own messages are one's own, also out of the history", async () => {
    const { visit } = await openWithSessions();
    const anna = await visit(withCookie("anna"));
    await anna.send("Hello from Anna");
    await anna.shows("Data of acme");
    expect(await anna.messages.first().innerText()).toContain("You");
    await anna.page.reload();
    await anna.shows("Hello from Anna");
    await expect.poll(() => anna.messages.first().innerText()).toContain("You");
  });

  test("a session that ends is noticed where one is, and a new one goes on", async () => {
    const { visit, proxy, expiresAt, signedOut, asked } = await openWithSessions();
    const window = await visit(withCookie("anna"));
    await window.send("Whose is it?");
    await window.shows("Data of acme");
    // The next connection ends with the session.
    expiresAt.set("anna", Date.now() + 3_000);
    const before = asked.length;
    proxy.cut();
    await expect.poll(() => asked.length).toBeGreaterThan(before);
    signedOut.add("anna");
    await window.page.getByRole("link", { name: "Sign in" }).waitFor();
    signedOut.delete("anna");
    expiresAt.delete("anna");
    // As a browser does when its reader comes back from the tab where they have signed in.
    await window.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
    await window.shows("Data of acme");
  });

  test("a browser itself shows any page's script why its socket was refused", async () => {
    const { address, visit } = await openWithSessions();
    const window = await visit();
    const closed = await window.page.evaluate(
      (url) =>
        new Promise((resolve) => {
          const socket = new WebSocket(url);
          socket.onclose = ({ code, reason }) => resolve({ code, reason });
        }),
      `${address.replace("http", "ws")}trpc`,
    );
    expect(closed).toEqual({ code: 4401, reason: "UNAUTHORIZED" });
  });
});
