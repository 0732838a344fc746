/** What the page keeps of what was written: whatever the browser takes, whoever writes, and where. */
import type { ChatMessage } from "langwire-client/react";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { windowStorage } from "../../../client/page/browser/storage.ts";
import { forgetDrafts, readDraft } from "../../../client/page/composer/drafts.ts";
import { useMessageField } from "../../../client/page/composer/use-message-field.ts";
import { mount } from "../../react/browser.ts";
import { probe } from "./scripted-client.ts";

type Mode = "takes all" | "is full" | "is blocked";

/** A browser's storage, which may take no more, or not be asked at all. */
function browserStorage(): { is(mode: Mode): void } {
  const kept = new Map<string, string>();
  let mode: Mode = "takes all";
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => {
      if (mode === "is full") throw new Error("QuotaExceededError");
      kept.set(key, value);
    },
    removeItem: (key: string) => void kept.delete(key),
  };
  const own = new Proxy(storage, {
    ownKeys: () => [...kept.keys()],
    getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
  });
  Object.defineProperty(globalThis, "sessionStorage", {
    configurable: true,
    get: () => {
      if (mode === "is blocked") throw new Error("SecurityError");
      return own;
    },
  });
  const is = (next: Mode) => {
    mode = next;
  };
  return { is };
}

beforeEach(() => {
  browserStorage();
  forgetDrafts();
});

describe("what is kept", () => {
  const random = (seed: number) => () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return seed / 2 ** 31;
  };

  test.each<[string, readonly Mode[]]>([
    ["takes all", ["takes all"]],
    ["is full now and then", ["takes all", "is full"]],
    ["is blocked", ["is blocked"]],
  ])("is what was set last, where the browser %s", (_how, modes) => {
    for (let seed = 1; seed <= 40; seed++) {
      const next = random(seed);
      const pick = <T>(all: readonly T[]): T => all[Math.floor(next() * all.length)] as T;
      const { is } = browserStorage();
      windowStorage.forget("");
      const model = new Map<string, string>();
      for (let step = 0; step < 60; step++) {
        is(pick(modes));
        const key = pick(["a 1", "a 2", "b 1"]);
        switch (pick(["set", "set", "remove", "forget", "get"])) {
          case "set":
            windowStorage.set(key, String(step));
            model.set(key, String(step));
            break;
          case "remove":
            windowStorage.set(key, undefined);
            model.delete(key);
            break;
          case "forget":
            windowStorage.forget("a ");
            for (const one of ["a 1", "a 2"]) model.delete(one);
            break;
          case "get":
            expect([seed, step, windowStorage.get(key)]).toEqual([seed, step, model.get(key)]);
        }
      }
    }
  });
});

describe("the message field", () => {
  type Options = Parameters<typeof useMessageField>[0];
  const human = (id: string, status: "sending" | "sent" | "refused") =>
    ({ id, role: "human", text: id, status }) as ChatMessage;
  const place = (conversationId: string | undefined, userId = "ann") => ({
    userId,
    conversationId,
  });

  /** A new field, as after a reload. */
  function setUp(first: Partial<Options> = {}) {
    const field = probe(useMessageField);
    let options: Options = { place: place(undefined), messages: [], blank: "", ...first };
    const mounted = mount(field.with(options));
    const draw = (more: Partial<Options> = {}) => {
      options = { ...options, ...more };
      mounted.draw(field.with(options));
    };
    const write = (text: string) => {
      field.latest.setText(text);
      draw();
    };
    return { field, mounted, draw, write };
  }

  test("has after a reload what was in it, for each conversation and each user their own", () => {
    const places = [place(undefined), place("a"), place("b"), place("a", "bob")];
    for (const [at, one] of places.entries()) {
      const { write, mounted } = setUp({ place: one });
      write(`text ${at}`);
      mounted.unmount();
    }
    expect(places.map((one) => setUp({ place: one }).field.latest.text)).toEqual(
      places.map((_one, at) => `text ${at}`),
    );
    const { write, field } = setUp({ place: place("a") });
    write("");
    expect([field.latest.text, readDraft(place("a"))]).toEqual(["", ""]);
    expect(readDraft(place("b"))).toBe("text 2");
    forgetDrafts();
    expect(places.map(readDraft)).toEqual(["", "", "", ""]);
  });

  test("takes its text along to the conversation that begins with it, and leaves none for the next", () => {
    const { write, draw } = setUp();
    write("more");
    draw({ place: place("a"), messages: [human("first", "sent")] });
    expect([readDraft(place(undefined)), readDraft(place("a"))]).toEqual(["", "more"]);
    write("more and more");
    expect([readDraft(place(undefined)), readDraft(place("a"))]).toEqual(["", "more and more"]);
  });

  test("has after a reload what the server had not accepted, before what was written since", () => {
    const { write, draw } = setUp({ place: place("a") });
    draw({ messages: [human("one", "sent"), human("two", "refused"), human("three", "sending")] });
    write("four");
    expect(readDraft(place("a"))).toBe("two\n\nthree\n\nfour");
    draw({ messages: [human("one", "sent"), human("two", "sent"), human("three", "sent")] });
    expect(readDraft(place("a"))).toBe("four");
  });

  test("takes back a message before what is there, which is then no message any more", () => {
    const messages = [human("one", "sent"), human("two", "refused")];
    const { write, draw, field } = setUp({ place: place("a"), messages });
    write("three");
    const focused = vi.fn();
    Object.assign(document, { getElementById: () => ({ focus: focused }) });
    field.latest.takeBack(messages[1] as ChatMessage);
    draw();
    expect(field.latest.text).toBe("two\n\nthree");
    expect(field.latest.shown.map(({ id }) => id)).toEqual(["one"]);
    expect(readDraft(place("a"))).toBe("two\n\nthree");
    expect(focused).toHaveBeenCalled();
    field.latest.clear();
    draw();
    expect([field.latest.text, readDraft(place("a"))]).toEqual(["", ""]);
  });

  test("of a typed bot has the shape of what it takes, which is no draft, and one input at a time", () => {
    const messages = [human('{"n":1}', "refused")];
    const { write, field, draw } = setUp({ place: place("a"), blank: "{}" });
    expect([field.latest.text, readDraft(place("a"))]).toEqual(["{}", ""]);
    write("{}");
    expect(readDraft(place("a"))).toBe("");
    draw({ messages });
    field.latest.takeBack(messages[0] as ChatMessage);
    draw();
    expect(field.latest.text).toBe('{"n":1}');
    write('{"n":2}');
    field.latest.takeBack(human('{"n":3}', "refused"));
    draw();
    expect(field.latest.text).toBe('{"n":3}');
  });
});
