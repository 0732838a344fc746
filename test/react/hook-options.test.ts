/** What makes another chat, or another connection, of a component that is drawn again: without a server. */
import { createElement } from "react";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { LangwireClient, Message } from "../../client/src/index.ts";
import { type UseChat, useChat, useConnection } from "../../client/src/react/index.ts";
import { scriptedPlatform } from "../client/scripted-socket.ts";
import { mount } from "./browser.ts";
import { errorOf } from "./scripted-chat.ts";

type Options = Parameters<typeof useChat>[0];

/** A client that is watched, and whose connection is what the test says. */
function scriptedClient(name: string, watched: string[] = []) {
  const listeners = new Set<() => void>();
  const connection = {
    ...{ state: "idle", error: undefined as Error | undefined },
    subscribe: (listener: () => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const client = {
    connection,
    watch: ({ conversationId }: { conversationId: string }) => {
      watched.push(`${name} ${conversationId}`);
      return { started: new Promise(() => {}) };
    },
    send: ({ botId }: { botId: string }) => {
      watched.push(`${name} sends to ${botId}`);
      return { ended: new Promise(() => {}), async *[Symbol.asyncIterator]() {} };
    },
  } as unknown as LangwireClient;
  const is = (state: string, error?: Error) => {
    Object.assign(connection, { state, error });
    for (const listener of listeners) listener();
  };
  return { client, is, listeners };
}

const conversationId = "5f2b0c7e-8a52-4a0e-9d3c-1b1f0a8d2c11";
const said = [{ runId: "r", role: "human", text: "Hi", at: "" }] as unknown as Message[];

/** Draws the hook with options, one after the other. */
function chats() {
  const seen: { latest?: UseChat } = {};
  function View(options: Options) {
    seen.latest = useChat(options);
    return createElement("p", null, seen.latest.messages.map(({ text }) => text).join());
  }
  return { View, seen };
}

describe("a chat", () => {
  test.each<
    [string, Partial<Options> & { client?: LangwireClient }, (watched: string[]) => object, boolean]
  >([
    ["the same options", {}, () => ({}), false],
    ["other messages to begin with", {}, () => ({ initialMessages: said }), false],
    ["another bot", {}, () => ({ botId: "other" }), true],
    ["another conversation", {}, () => ({ conversationId: crypto.randomUUID() }), true],
    [
      "another client",
      {},
      (watched) => ({ client: scriptedClient("other", watched).client }),
      true,
    ],
  ])("with %s", async (_with, _first, next, isOther) => {
    const watched: string[] = [];
    const { client } = scriptedClient("first", watched);
    const { View, seen } = chats();
    const options = { client, botId: "bot", conversationId };
    const page = mount(createElement(View, options));
    const { send } = seen.latest ?? {};
    const changed = { ...options, ...next(watched) };
    page.draw(createElement(View, changed));
    expect(seen.latest?.send === send).toBe(!isOther);
    expect(watched).toHaveLength(isOther ? 2 : 1);
    void seen.latest?.send("Hi");
    const name = changed.client === client ? "first" : "other";
    expect(watched.at(-1)).toBe(`${name} sends to ${changed.botId}`);
  });

  test.each([
    ["another server", { url: "ws://b/trpc", userId: "ann" }, "opens ws://b/trpc?chunks=1"],
    ["another user", { url: "ws://a/trpc", userId: "bob" }, "bob"],
  ])("of its own client with %s has another", async (_with, next, found) => {
    const transcript: string[] = [];
    const { WebSocket, base } = scriptedPlatform((line) => void transcript.push(line));
    vi.stubGlobal("WebSocket", WebSocket);
    onTestFinished(() => void vi.unstubAllGlobals());
    const { View } = chats();
    const at = (where: { url: string; userId: string }) =>
      createElement(View, { ...where, botId: "bot", conversationId });
    const opened = async (times: number) => {
      const isOpened = () => transcript.filter((line) => line.startsWith("opens")).length;
      await expect.poll(isOpened).toBe(times);
      base.is("open");
      await expect.poll(() => transcript.join()).toContain('"connectionParams"');
    };
    const page = mount(at({ url: "ws://a/trpc", userId: "ann" }));
    await opened(1);
    page.draw(at({ url: "ws://a/trpc", userId: "ann" }));
    expect(transcript.filter((line) => line.startsWith("opens"))).toHaveLength(1);
    transcript.length = 0;
    page.draw(at(next));
    await opened(1);
    expect(transcript.join("\n")).toContain(found);
  });
});

test("the connection that is shown is that of the client that there is now", async () => {
  const [first, second] = [scriptedClient("first"), scriptedClient("second")];
  function View({ client }: { client: LangwireClient }) {
    const { state, error } = useConnection(client);
    return createElement("p", null, `${state} ${error?.code ?? ""}`.trim());
  }
  const page = mount(createElement(View, { client: first.client }));
  first.is("connecting", errorOf("UNREACHABLE"));
  await page.shows("connecting UNREACHABLE");
  second.is("open");
  page.draw(createElement(View, { client: second.client }));
  expect(page.text).toBe("open");
  first.is("connecting", errorOf("UNAUTHORIZED"));
  second.is("connecting", errorOf("OVERLOADED"));
  await page.shows("connecting OVERLOADED");
  expect(first.listeners.size).toBe(0);
  page.unmount();
  expect(second.listeners.size).toBe(0);
});
