/**
 * A component goes away, or shows another conversation, at each event of a run: the run is never the worse
 * for it, and whoever comes later sees all of it. In strict mode, as React is developed with.
 */
import { useChat as useAiChat } from "@ai-sdk/react";
import { createElement, Fragment, type ReactNode, StrictMode } from "react";
import { describe, expect, test, vi } from "vitest";
import { createChatTransport, type LangwireUIMessage } from "../../client/src/ai-sdk/index.ts";
import type { LangwireClient } from "../../client/src/index.ts";
import { useChat } from "../../client/src/react/index.ts";
import { type Mounted, mount } from "./browser.ts";
import { setUp } from "./setting.ts";

/** A model that speaks, calls a tool and speaks again, run after run. */
const script = (call: number) =>
  call % 2 === 0
    ? { tokens: ["Hm."], toolCalls: [{ name: "calculator", args: { expression: "6*7" } }] }
    : { tokens: ["It ", "is ", "42."] };

/** Between how many events a run of that has, and chunks. */
const [minEvents, maxEvents] = [10, 100];

interface Shown {
  readonly id: string;
  readonly client: LangwireClient;
}

/** Runs a conversation to its end, for whoever is there, and says how it ended. */
async function outcome(client: LangwireClient, conversationId: string): Promise<string> {
  const { runningRunId } = await client.conversations.get({ conversationId });
  if (runningRunId !== undefined) await client.follow({ runId: runningRunId }).ended;
  const { items } = await client.conversations.messages({ conversationId });
  return items.map(({ status, text }) => `${status ?? ""} ${text}`).join("|");
}

const ways = {
  "goes away": (page: Mounted) => page.unmount(),
  "shows another conversation": (page: Mounted, draw: (id: string) => ReactNode) =>
    page.draw(draw(crypto.randomUUID())),
};

describe.each(Object.entries(ways))("a component that %s", (_way, leave) => {
  test("under the hook", async () => {
    const { client } = await setUp(script);
    for (let at = 1; at < maxEvents; at++) {
      const id = crypto.randomUUID();
      await client.conversations.create({ conversationId: id, botId: "agent" });
      let send: (text: string) => Promise<unknown> = async () => {};
      function View({ id }: Shown) {
        const chat = useChat({ client, botId: "agent", conversationId: id });
        if (id === shownId) send = chat.send;
        const last = chat.messages.at(-1);
        return createElement(Fragment, null, `<${chat.status}> ${last?.status} ${last?.text}`);
      }
      const shownId = id;
      const draw = (id: string) =>
        createElement(StrictMode, null, createElement(View, { id, client }));
      let seen = 0;
      const over = Promise.withResolvers<void>();
      const watch = client.watch.bind(client);
      const watched = vi.spyOn(client, "watch").mockImplementation((...args) => {
        const reading = watch(...args);
        const next = reading.next.bind(reading);
        reading.next = async () => {
          const result = await next();
          if (args[0].conversationId !== id || result.done === true) return result;
          if (++seen === at) leave(page, draw);
          if (seen === at || result.value.type === "runEnd") over.resolve();
          return result;
        };
        return reading;
      });
      const page = mount(draw(id));
      await page.shows("<ready>");
      expect(await send("6*7?")).toMatchObject({ status: "completed" });
      await over.promise;
      watched.mockRestore();
      expect(await outcome(client, id)).toBe(" 6*7?|completed It is 42.");
      const back = mount(draw(id));
      await back.shows("<ready> completed It is 42.");
      if (seen >= at) continue;
      expect(at).toBeGreaterThan(minEvents);
      return;
    }
    expect.fail("the run never ended");
  });

  test("under the AI SDK", async () => {
    const { client } = await setUp(script);
    for (let at = 1; at < maxEvents; at++) {
      const id = crypto.randomUUID();
      const transport = createChatTransport({ client, botId: "agent" });
      let seen = 0;
      const counting: typeof transport.sendMessages = async (sending) => {
        const stream = await transport.sendMessages(sending);
        return stream.pipeThrough(
          new TransformStream({
            transform: (chunk, controller) => {
              controller.enqueue(chunk);
              if (++seen === at) leave(page, draw);
            },
          }),
        );
      };
      let send: (message: { text: string }) => Promise<void> = async () => {};
      function View({ id }: Shown) {
        const chat = useAiChat<LangwireUIMessage>({
          id,
          transport: Object.assign(Object.create(transport), { sendMessages: counting }),
          resume: true,
        });
        if (id === shownId) send = chat.sendMessage;
        return createElement(Fragment, null, `<${chat.status}>`);
      }
      const shownId = id;
      const draw = (id: string) =>
        createElement(StrictMode, null, createElement(View, { id, client }));
      const page = mount(draw(id));
      await send({ text: "6*7?" });
      expect(await outcome(client, id)).toBe(" 6*7?|completed It is 42.");
      if (seen >= at) continue;
      expect(at).toBeGreaterThan(minEvents);
      return;
    }
    expect.fail("the run never ended");
  });
});
