import { createElement, Fragment, Profiler, StrictMode } from "react";
import { expect, test, vi } from "vitest";
import { type UseChat, useChat, useConnection } from "../../client/src/react/index.ts";
import { mount } from "./browser.ts";
import { gate, setUp } from "./setting.ts";

type Options = Parameters<typeof useChat>[0];

/** Draws a chat as one line of text, and hands out what the hook returned last. */
function chatView() {
  const view: { latest?: UseChat } = {};
  function View(options: Options) {
    const chat = useChat(options);
    view.latest = chat;
    const lines = chat.messages.map(({ role, text, status }) => `${role} ${status}: ${text}`);
    return createElement(Fragment, null, [`<${chat.status}>`, ...lines].join(" | "));
  }
  return {
    View,
    get chat() {
      if (view.latest === undefined) throw new Error("nothing was drawn yet");
      return view.latest;
    },
  };
}

test("in strict mode one message makes one run, one watch and one answer", async () => {
  const { client } = await setUp([{ tokens: ["Hel", "lo"] }]);
  const watch = vi.spyOn(client, "watch");
  const { conversationId } = await client.conversations.create({ botId: "chat" });
  const view = chatView();
  const drawn = createElement(view.View, { client, botId: "chat", conversationId });
  const page = mount(createElement(StrictMode, null, drawn));
  await page.shows("<ready>");
  void view.chat.send("Hi");
  await page.shows("<ready> | human sent: Hi | ai completed: Hello");
  expect(watch).toHaveBeenCalledTimes(1);
});

test("a component that goes away stops nothing, and one that comes back shows the rest", async () => {
  const { passed, open: finish } = gate();
  const { client } = await setUp([{ tokens: ["Half"], until: passed }]);
  const view = chatView();
  const first = mount(createElement(view.View, { client, botId: "chat" }));
  void view.chat.send("Hi");
  await first.shows("ai streaming: Half");
  const { conversationId } = view.chat;
  first.unmount();

  const second = mount(createElement(view.View, { client, botId: "chat", conversationId }));
  await second.shows("<streaming> | human sent: Hi | ai streaming: Half");
  finish();
  await second.shows("ai completed: Half");
});

test("another conversation is another chat", async () => {
  const { client } = await setUp((_call, message) => ({ tokens: [`re ${message}`] }));
  const view = chatView();
  const [one, two] = [crypto.randomUUID(), crypto.randomUUID()];
  const at = (conversationId: string) =>
    createElement(view.View, { client, botId: "chat", conversationId });
  const page = mount(at(one));
  await view.chat.send("one");
  await page.shows("ai completed: re one");
  page.draw(at(two));
  await page.shows("<ready>");
  expect(page.text).not.toContain("re one");
  page.draw(at(one));
  await page.shows("ai completed: re one");
});

test("the messages that a page begins with are the first conversation's alone", async () => {
  const { client } = await setUp((_call, message) => ({ tokens: [`re ${message}`] }));
  const [one, two] = [crypto.randomUUID(), crypto.randomUUID()];
  await client.send({ botId: "chat", conversationId: one, message: "one" }).text;
  const { items } = await client.conversations.messages({ conversationId: one });
  const view = chatView();
  const at = (conversationId: string) =>
    createElement(view.View, { client, botId: "chat", conversationId, initialMessages: items });
  const page = mount(at(one));
  expect(page.text).toContain("ai completed: re one");
  page.draw(at(two));
  expect(page.text).toBe("<loading>");
  page.draw(at(one));
  expect(page.text).toContain("ai completed: re one");
});

test("stop and regenerate", async () => {
  const { client } = await setUp((call) =>
    call === 0 ? { tokens: ["Never"], until: new Promise(() => {}) } : { tokens: ["Done"] },
  );
  const view = chatView();
  const page = mount(createElement(view.View, { client, botId: "chat" }));
  void view.chat.send("Hi");
  await page.shows("ai streaming: Never");
  void view.chat.stop();
  await page.shows("<ready> | human sent: Hi | ai cancelled: Never");
  void view.chat.regenerate();
  await page.shows("human sent: Hi | ai completed: Done");
});

test("with a URL the hook makes its own client", async () => {
  const { url } = await setUp([{ tokens: ["Hello"] }]);
  const view = chatView();
  const page = mount(createElement(view.View, { url, userId: "someone", botId: "chat" }));
  void view.chat.send("Hi");
  await page.shows("ai completed: Hello");
  expect(view.chat.messages[0]).toMatchObject({ userId: "someone" });
});

test("what a server rendered is taken over without a difference", async () => {
  const { client, url } = await setUp([{ tokens: ["Hello"] }]);
  const conversationId = crypto.randomUUID();
  await client.send({ botId: "chat", conversationId, message: "Hi" }).text;
  const { items } = await client.conversations.messages({ conversationId });
  const options = { url, botId: "chat", conversationId, initialMessages: items };
  const { renderToString } = await import("react-dom/server");
  const html = renderToString(createElement(chatView().View, options));
  expect(html).toContain("ready&gt; | human sent: Hi | ai completed: Hello");

  const complaints = vi.spyOn(console, "error");
  const view = chatView();
  const page = mount(createElement(view.View, options), { html });
  await expect.poll(() => view.chat).toBeDefined();
  void view.chat.send("Again");
  await page.shows("ai completed: Hello | human sent: Again | ai completed: Hello");
  expect([...complaints.mock.calls, ...page.recovered]).toEqual([]);
});

test("a new conversation's id is not what a server rendered, so neither draws it before the other", async () => {
  const { url } = await setUp([{ tokens: ["Hello"] }]);
  let chat: UseChat | undefined;
  function View() {
    chat = useChat({ url, botId: "chat" });
    const texts = chat.messages.map(({ text }) => text);
    return createElement("p", { id: chat.conversationId }, [chat.conversationId, ...texts].join());
  }
  const node = createElement(StrictMode, null, createElement(View));
  const { renderToString } = await import("react-dom/server");
  const html = renderToString(node);
  expect(html).toBe('<p id=""></p>');

  const complaints = vi.spyOn(console, "error");
  const page = mount(node, { html });
  await expect.poll(() => chat?.conversationId).toBeTruthy();
  const id = chat?.conversationId ?? "";
  expect(id).toMatch(/^[0-9a-f-]{36}$/);
  expect(await chat?.send("Hi")).toMatchObject({ text: "Hello" });
  await page.shows(`${id},Hi,Hello`);
  expect([...complaints.mock.calls, ...page.recovered]).toEqual([]);
});

test("tokens are drawn together, not one by one", async () => {
  const words = Array.from({ length: 600 }, (_, index) => `w${index} `);
  const { client } = await setUp([{ tokens: words }]);
  const view = chatView();
  let commits = 0;
  const drawn = createElement(view.View, { client, botId: "chat" });
  const page = mount(
    createElement(Profiler, { id: "chat", onRender: () => void commits++ }, drawn),
  );
  void view.chat.send("Go");
  await page.shows(`ai completed: ${words.join("")}`);
  expect(commits).toBeLessThan(words.length / 2);
});

test("the connection's state as it changes", async () => {
  const { client } = await setUp([]);
  const Light = () => createElement(Fragment, null, useConnection(client).state);
  const page = mount(createElement(Light));
  expect(page.text).toBe("idle");
  await client.bots.list();
  await page.shows("open");
  await client.close();
  await page.shows("closed");
});
