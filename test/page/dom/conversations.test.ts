/** The list of conversations, and the one that is open, by what the server answers, in whichever order. */
import type { Conversation, LangwireClient } from "langwire-client";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { useConversation } from "../../../client/page/conversations/use-conversation.ts";
import { useConversations } from "../../../client/page/conversations/use-conversations.ts";
import { mount } from "../../react/browser.ts";
import { probe, type Question, scriptedClient, settled } from "./scripted-client.ts";

const named = (id: string, more: Partial<Conversation> = {}) =>
  ({
    conversationId: id,
    title: id,
    owned: true,
    shared: false,
    botId: "b",
    ...more,
  }) as Conversation;
const page = (ids: string, nextCursor?: string) => ({
  items: [...ids].map((id) => named(id)),
  ...(nextCursor && { nextCursor }),
});

/** Waits are run through by the test. */
function fakeTimers() {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  vi.spyOn(Math, "random").mockReturnValue(0.5);
  onTestFinished(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });
}

const saidOf = (asked: readonly Question[]) =>
  asked.map(({ name, input = {} }) => `${name} ${Object.values(input as object).join(" ")}`.trim());

describe("the list", () => {
  function setUp() {
    const { client, asked } = scriptedClient();
    const list = probe(({ client }: { client: LangwireClient }) => useConversations(client));
    const mounted = mount(list.with({ client }));
    const titles = () => list.latest.items?.map(({ title }) => title).join("");
    return { client, asked, list, mounted, titles };
  }

  test.each([
    ["in their order", [0, 1, 2]],
    ["the other way round", [2, 1, 0]],
    ["mixed", [1, 2, 0]],
  ])("is what was asked for last, where answers come %s", async (_how, order) => {
    const { asked, list, titles } = setUp();
    expect(list.latest.items).toBeUndefined();
    for (let times = 0; times < 2; times++) void list.latest.refresh();
    expect(saidOf(asked)).toEqual(["list", "list", "list"]);
    for (const at of order) {
      asked[at]?.answer(page(["a", "ab", "abc"][at] ?? ""));
      await settled();
    }
    expect(titles()).toBe("abc");
  });

  test("grows by its next page, behind what is there, until there is none", async () => {
    const { asked, list, titles } = setUp();
    asked[0]?.answer(page("ab", "2"));
    await settled();
    expect([titles(), list.latest.hasMore]).toEqual(["ab", true]);
    void list.latest.loadMore();
    asked[1]?.refuse("OVERLOADED");
    await settled();
    expect([titles(), list.latest.hasMore]).toEqual(["ab", true]);
    void list.latest.loadMore();
    asked[2]?.answer(page("cd"));
    await settled();
    expect([titles(), list.latest.hasMore]).toEqual(["abcd", false]);
    expect(saidOf(asked)).toEqual(["list", "list 2", "list 2"]);
  });

  test("takes in a page that joins it: once, and not into another user's", async () => {
    const { asked, list, mounted, titles } = setUp();
    asked[0]?.answer(page("a", "2"));
    await settled();
    for (let times = 0; times < 2; times++) void list.latest.loadMore();
    for (const at of [1, 2]) asked[at]?.answer(page("b", "3"));
    await settled();
    expect(titles()).toBe("ab");
    void list.latest.loadMore();
    const other = scriptedClient();
    mounted.draw(list.with({ client: other.client }));
    await settled();
    asked[3]?.answer(page("c", "4"));
    await settled();
    expect(titles()).toBeUndefined();
    other.asked[0]?.answer(page("o", "2"));
    await settled();
    expect([titles(), list.latest.hasMore]).toEqual(["o", true]);
  });

  test("has a new title, and lacks what was deleted or left, once the server has done it", async () => {
    const { asked, list, titles } = setUp();
    asked[0]?.answer(page("abc"));
    await settled();
    void list.latest.rename("b", "B");
    asked[1]?.answer(named("b", { title: "B" }));
    await settled();
    expect(titles()).toBe("aBc");
    void list.latest.remove(named("a"));
    await settled();
    expect(titles()).toBe("aBc");
    asked[2]?.answer({});
    await settled();
    expect(titles()).toBe("Bc");
    void list.latest.remove(named("c", { owned: false })).catch(() => {});
    asked[4]?.refuse("OVERLOADED");
    await settled();
    expect(titles()).toBe("Bc");
    const removed = ["delete a", "list", "leave c"];
    expect(saidOf(asked)).toEqual(["list", "rename b B", ...removed]);
  });

  test("is asked for when its window comes back, and by nobody who has gone", async () => {
    const { asked, mounted } = setUp();
    const is = (visibilityState: string) => {
      Object.defineProperty(document, "visibilityState", {
        value: visibilityState,
        configurable: true,
      });
      document.dispatchEvent(new window.Event("visibilitychange"));
    };
    is("hidden");
    expect(asked).toHaveLength(1);
    is("visible");
    expect(asked).toHaveLength(2);
    window.dispatchEvent(new window.Event("focus"));
    expect(asked).toHaveLength(3);
    mounted.unmount();
    is("visible");
    window.dispatchEvent(new window.Event("focus"));
    expect(asked).toHaveLength(3);
  });

  test("of another user is empty until it has come, and the last one's does not come into it", async () => {
    const { asked, list, mounted, titles } = setUp();
    asked[0]?.answer(page("a"));
    await settled();
    void list.latest.refresh();
    const other = scriptedClient();
    mounted.draw(list.with({ client: other.client }));
    await settled();
    expect(titles()).toBeUndefined();
    asked[1]?.answer(page("a"));
    await settled();
    expect(titles()).toBeUndefined();
    other.asked[0]?.answer(page("o"));
    await settled();
    expect(titles()).toBe("o");
  });

  test("that is refused for the moment is asked for when it may be, by who is still there", async () => {
    fakeTimers();
    const { asked, mounted, titles } = setUp();
    asked[0]?.refuse("OVERLOADED", { retryable: true, retryAfterMs: 1_000 });
    await vi.advanceTimersByTimeAsync(1_249);
    expect(asked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    asked[1]?.answer(page("a"));
    await settled();
    expect(titles()).toBe("a");
    window.dispatchEvent(new window.Event("focus"));
    asked[2]?.refuse("OVERLOADED", { retryable: true });
    await settled();
    mounted.unmount();
    await vi.advanceTimersByTimeAsync(60_000);
    expect([asked.length, vi.getTimerCount()]).toEqual([3, 0]);
  });
});

describe("the conversation that is open", () => {
  interface Props {
    readonly client: LangwireClient;
    readonly id: string | undefined;
  }
  function setUp() {
    const { client, asked } = scriptedClient();
    const view = probe(({ client, id }: Props) => useConversation(client, id));
    const mounted = mount(view.with({ client, id: "a" }));
    const show = (id: string | undefined) => mounted.draw(view.with({ client, id }));
    const seen = () => {
      const { opened } = view.latest;
      const what = opened.state === "open" ? opened.conversation.title : opened.error?.code;
      return `${opened.state} ${what ?? ""}`.trim();
    };
    return { asked, view, show, seen };
  }

  test("is joined where it is not one's own, and for no other refusal", async () => {
    for (const [code, retryable, then, said] of [
      ["NOT_FOUND", false, "joined", "open a"],
      ["NOT_FOUND", false, "refused", "failed NOT_FOUND"],
      ["UNAUTHORIZED", false, undefined, "failed UNAUTHORIZED"],
      ["OVERLOADED", true, undefined, "opening OVERLOADED"],
    ] as const) {
      const { asked, seen } = setUp();
      expect(seen()).toBe("opening");
      asked[0]?.refuse(code, { retryable });
      await settled();
      expect(asked.slice(1).map(({ name }) => name)).toEqual(then === undefined ? [] : ["join"]);
      if (then === "joined") asked[1]?.answer(named("a"));
      else asked[1]?.refuse("NOT_FOUND");
      await settled();
      expect(seen()).toBe(said);
    }
  });

  test.each(["OVERLOADED", "UNAUTHORIZED", "INTERNAL"] as const)(
    "stays so while it is refused for %s, and not when it is gone",
    async (code) => {
      const { asked, view, seen } = setUp();
      asked[0]?.answer(named("a"));
      await settled();
      void view.latest.refresh();
      asked[1]?.refuse(code);
      await settled();
      expect(seen()).toBe("open a");
      void view.latest.refresh();
      asked[2]?.refuse("NOT_FOUND");
      await settled();
      asked[3]?.refuse("NOT_FOUND");
      await settled();
      expect(seen()).toBe("failed NOT_FOUND");
    },
  );

  test("is the one that is asked for now, whatever is answered late", async () => {
    const { asked, show, seen } = setUp();
    asked[0]?.answer(named("a"));
    await settled();
    show("b");
    await settled();
    expect(seen()).toBe("opening");
    show("c");
    await settled();
    asked[2]?.answer(named("c"));
    await settled();
    asked[1]?.answer(named("b"));
    await settled();
    expect(seen()).toBe("open c");
    show(undefined);
    await settled();
    expect([seen(), asked.length]).toEqual(["opening", 3]);
  });

  test("that is refused for the moment is asked for when it may be", async () => {
    fakeTimers();
    const { asked, seen } = setUp();
    asked[0]?.refuse("OVERLOADED", { retryable: true, retryAfterMs: 1_000 });
    await vi.advanceTimersByTimeAsync(1_249);
    expect([seen(), asked.length]).toEqual(["opening OVERLOADED", 1]);
    await vi.advanceTimersByTimeAsync(1);
    asked[1]?.answer(named("a"));
    await settled();
    expect(seen()).toBe("open a");
  });
});
