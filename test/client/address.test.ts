/** What `createClient` makes of an address. */
import { afterEach, describe, expect, test, vi } from "vitest";
import { type ClientOptions, createClient } from "../../client/src/index.ts";
import { serverSentEvents } from "../../client/src/sse.ts";

afterEach(() => vi.unstubAllGlobals());

const make = (url: unknown, options: Partial<ClientOptions> = {}) =>
  createClient({ url: url as string, ...options });

describe("is refused at once, by name and with what it is, where it", () => {
  test.each<[string, unknown, string]>([
    ["was forgotten", undefined, "undefined"],
    ["is another kind of thing", 3000, "3000"],
    ["is empty", "", '""'],
    ["lacks its protocol", "127.0.0.1:3000/trpc", '"127.0.0.1:3000/trpc"'],
    ["has another protocol", "localhost:3000/trpc", '"localhost:3000/trpc"'],
    ["has no host", "ws://", '"ws://"'],
    ["is relative and no path, outside of a browser", "trpc", '"trpc"'],
  ])("%s", (_what, url, shown) => {
    const message = `\`url\` must be like wss://host/trpc, not ${shown}.`;
    for (const options of [{}, { transport: serverSentEvents }]) {
      expect(() => make(url, options)).toThrow(
        expect.objectContaining({ code: "BAD_INPUT", message }),
      );
    }
  });
});

describe("is a path where a page is rendered on a server, which calls nothing", () => {
  test.each([{}, { transport: serverSentEvents }])(
    "and what is called there fails: %o",
    async (options) => {
      await using client = make("/trpc", options);
      const refused = { code: "BAD_INPUT" };
      await expect(client.bots.list()).rejects.toMatchObject(refused);
      await expect(client.send({ botId: "bot", message: "Hi" }).ended).rejects.toMatchObject(
        refused,
      );
    },
  );
});

test("is taken with each protocol, and in a browser relative to the page", () => {
  for (const scheme of ["ws", "wss", "http", "https"]) make(`${scheme}://localhost:3000/trpc`);
  vi.stubGlobal("location", { href: "https://example.com/app/page" });
  for (const url of ["/trpc", "trpc", "//example.org/trpc"]) make(url);
});
