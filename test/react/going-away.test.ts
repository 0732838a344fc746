/**
 * A component goes away, or shows another conversation, at each event of a run: the run is never the worse
 * for it, and whoever comes later sees all of it. In strict mode, as React is developed with.
 */
import { useChat as useAiChat } from "@ai-sdk/react";
import { createElement, Fragment, type ReactNode, StrictMode } from "react";
import { describe, expect, test, vi } from "vitest";
import { createChatTransport, type LangwireUIMessage } from "../../client/src/ai-sdk/index.ts";
import type { LangwireChunk } from "../../client/src/ai-sdk/ui-chunks.ts";
import type { LangwireClient } from "../../client/src/index.ts";
import { useChat } from "../../client/src/react/index.ts";
import type { ChatEvent } from "../../client/src/types.ts";
import { type Mounted, mount } from "./browser.ts";
import { gate, setUp } from "./setting.ts";

/** Between how many events a run has, and how many chunks. */
const [minEvents, maxEvents] = [10, 100];
const answer = "It is 42.";

/**
 * A model that speaks, calls a tool and speaks again, run after run. Before a run ends it waits, so that
 * whoever has left could still do it harm.
 */
async function begin() {
  let held = gate();
  const { client } = await setUp((call) =>
    call % 2 === 0
      ? { tokens: ["Hm."], toolCalls: [{ name: "calculator", args: { expression: "6*7" } }] }
      : { tokens: [answer], until: held.passed },
  );
  /**
   * One run, of which a component leaves at the event of this number.
   * @returns to be told of each event
   */
  const hold = (at: number, leave: () => void) => {
    held = gate();
    let seen = 0;
    const over = gate();
    return {
      see: (event: ChatEvent | LangwireChunk) => {
        if (++seen === at) {
          leave();
          over.open();
          // What leaving has sent arrives before this is answered.
          void client.bots.list().then(held.open);
        } else if (JSON.stringify(event).includes(answer)) held.open();
        if (event.type === "runEnd") over.open();
      },
      /** Settles when it has left, or has seen all of the run. */
      over: over.passed,
      get hasLeft() {
        return seen >= at;
      },
    };
  };
  return { client, hold };
}

/** How a conversation's run ends, for whoever is there then. */
async function outcome(client: LangwireClient, conversationId: string): Promise<string> {
  const { runningRunId } = await client.conversations.get({ conversationId });
  if (runningRunId !== undefined) await client.follow({ runId: runningRunId }).ended;
  const { items } = await client.conversations.messages({ conversationId });
  return items.map(({ status, text }) => `${status ?? ""} ${text}`).join("|");
}

type Draw = (id: string) => ReactNode;
const ways: Record<string, (page: Mounted, draw: Draw) => void> = {
  "goes away": (page) => page.unmount(),
  "shows another conversation": (page, draw) => page.draw(draw(crypto.randomUUID())),
};

describe.each(Object.entries(ways))("a component that %s", (_way, leave) => {
  test("under the hook", async () => {
    const { client, hold } = await begin();
    for (let at = 1; at < maxEvents; at++) {
      const { conversationId: own } = await client.conversations.create({ botId: "agent" });
      let send: (text: string) => Promise<unknown> = async () => {};
      function View({ id }: { id: string }) {
        const chat = useChat({ client, botId: "agent", conversationId: id });
        if (id === own) send = chat.send;
        const last = chat.messages.at(-1);
        return createElement(Fragment, null, `<${chat.status}> ${last?.status} ${last?.text}`);
      }
      const draw: Draw = (id) => createElement(StrictMode, null, createElement(View, { id }));
      const run = hold(at, () => leave(page, draw));
      const watch = client.watch.bind(client);
      const watched = vi.spyOn(client, "watch").mockImplementation((...args) => {
        const reading = watch(...args);
        const next = reading.next.bind(reading);
        reading.next = async () => {
          const result = await next();
          if (args[0].conversationId === own && result.done !== true) run.see(result.value);
          return result;
        };
        return reading;
      });
      const page = mount(draw(own));
      await page.shows("<ready>");
      expect(await send("6*7?")).toMatchObject({ status: "completed" });
      await run.over;
      watched.mockRestore();
      expect(await outcome(client, own)).toBe(` 6*7?|completed ${answer}`);
      const back = mount(draw(own));
      await back.shows(`<ready> completed ${answer}`);
      if (run.hasLeft) continue;
      expect(at).toBeGreaterThan(minEvents);
      return;
    }
    expect.fail("the run never ended");
  });

  test("under the AI SDK", async () => {
    const { client, hold } = await begin();
    for (let at = 1; at < maxEvents; at++) {
      const own = crypto.randomUUID();
      const transport = createChatTransport({ client, botId: "agent" });
      const run = hold(at, () => leave(page, draw));
      const sendMessages: typeof transport.sendMessages = async (sending) => {
        const stream = await transport.sendMessages(sending);
        return stream.pipeThrough(
          new TransformStream({
            transform: (chunk, controller) => {
              controller.enqueue(chunk);
              run.see(chunk);
            },
          }),
        );
      };
      const counting = Object.assign(Object.create(transport), { sendMessages });
      let send: (message: { text: string }) => Promise<void> = async () => {};
      function View({ id }: { id: string }) {
        const chat = useAiChat<LangwireUIMessage>({ id, transport: counting, resume: true });
        if (id === own) send = chat.sendMessage;
        return createElement(Fragment, null, `<${chat.status}>`);
      }
      const draw: Draw = (id) => createElement(StrictMode, null, createElement(View, { id }));
      const page = mount(draw(own));
      await send({ text: "6*7?" });
      expect(await outcome(client, own)).toBe(` 6*7?|completed ${answer}`);
      if (run.hasLeft) continue;
      expect(at).toBeGreaterThan(minEvents);
      return;
    }
    expect.fail("the run never ended");
  });
});
