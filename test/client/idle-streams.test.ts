/** When a stream of events counts as dead, and what a wake-up does to it: by the clock of a test. */
import { describe, expect, test, vi } from "vitest";
import { StreamHost } from "../../client/src/connection/idle-timeout-event-source.ts";
import { wait } from "./scripted-link.ts";
import { scriptedTime } from "./scripted-time.ts";

const times = { connectTimeoutMs: 1_000, silenceMs: 8_000 };

type Told = { readonly type?: string; readonly data?: string; readonly lastEventId?: string };

/** Streams on a platform's EventSource whose every event a test decides. */
function streams() {
  const { transcript, say } = scriptedTime();
  const listeners: Map<string, Set<(event: Told) => void>>[] = [];
  class Platform {
    readonly CLOSED = 2;
    readyState = 0;
    readonly #own = new Map<string, Set<(event: Told) => void>>();

    constructor() {
      listeners.push(this.#own);
    }

    addEventListener(type: string, listener: (event: Told) => void): void {
      const all = this.#own.get(type) ?? new Set();
      this.#own.set(type, all.add(listener));
    }

    close(): void {
      this.readyState = this.CLOSED;
      say("closes");
    }
  }
  const host = new StreamHost({ EventSource: Platform as never, ...times });
  const open = (url = "http://x") => {
    const stream = new host.EventSource(url);
    const own = listeners.at(-1);
    const is = (type: string, event: Told = {}) => {
      for (const listener of own?.get(type) ?? []) listener(event);
    };
    stream.addEventListener("error", (({ type = "fails" }: Told) => say(type)) as never);
    stream.addEventListener("message", (({ data, lastEventId }: Told) =>
      say(`tells ${lastEventId} ${data}`)) as never);
    stream.addEventListener("connected", (() => say("connected")) as never);
    return { stream: stream as typeof stream & { wake(): void }, is };
  };
  return { host, open, transcript };
}

describe("a stream", () => {
  test("that is not answered is closed in time, and fails", async () => {
    const { open, transcript, host } = streams();
    open();
    await wait(20_000);
    expect(transcript).toEqual(["1000 closes", "1000 error"]);
    expect([host.streams.size, vi.getTimerCount()]).toEqual([0, 0]);
  });

  test.each(["open", "message", "connected", "ping", "serialized-error", "return"])(
    "that has heard %s may be silent for longer, from then on",
    async (type) => {
      const { open, transcript } = streams();
      const { is } = open();
      await wait(900);
      is(type, { lastEventId: "" });
      await wait(7_999);
      expect(transcript).not.toContain("8899 closes");
      await wait(1);
      expect(transcript.slice(-2)).toEqual(["8900 closes", "8900 error"]);
    },
  );

  test("that lost its connection has the time of a new one; one that is closed none", async () => {
    const { open, transcript } = streams();
    const { is } = open();
    is("open");
    await wait(5_000);
    is("error");
    await wait(999);
    expect(transcript).toEqual(["5000 fails"]);
    await wait(1);
    expect(transcript.slice(1)).toEqual(["6000 closes", "6000 error"]);
    is("error");
    expect(vi.getTimerCount()).toBe(0);
  });

  test("that was silent makes the next silence longer, up to a point, until there is an event", async () => {
    const { open, transcript, host } = streams();
    for (const silenceMs of [8, 16, 32, 64, 128, 128].map((seconds) => seconds * 1_000)) {
      const { is } = open();
      is("open");
      await wait(silenceMs - 1);
      expect(host.streams.size).toBe(1);
      await wait(1);
      expect(host.streams.size).toBe(0);
    }
    const { is } = open();
    is("message", { lastEventId: "1", data: "x" });
    transcript.length = 0;
    await wait(8_000);
    expect(transcript).toHaveLength(2);
  });

  test("says where it begins as its first event, where it knows", () => {
    const { open, transcript } = streams();
    const { is } = open();
    is("connected", { lastEventId: "" });
    is("connected", { lastEventId: "7" });
    const begun = 'tells 7 {"json":{"type":"started"}}';
    expect(transcript).toEqual(["0 connected", `0 ${begun}`, "0 connected"]);
  });

  test("is opened anew after a sleep where it has been silent, and not where it was closed", async () => {
    const { open, host, transcript } = streams();
    const [silent, heard, closed] = [open(), open(), open()];
    for (const { is } of [silent, heard, closed]) is("open");
    closed.stream.close();
    await wait(5_000);
    host.wake();
    expect(transcript).toEqual(["0 closes"]);
    heard.is("ping");
    await wait(1);
    host.wake();
    expect(transcript.slice(1)).toEqual(["5001 closes", "5001 error"]);
    expect(host.streams.size).toBe(1);
    heard.stream.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("has an address that is short enough, and one that may be too long is known until it opens", () => {
    const { open, host } = streams();
    const tooLong = { code: "BAD_INPUT", message: expect.stringContaining("too long") };
    expect(() => open("x".repeat(14_001))).toThrow(expect.objectContaining(tooLong));
    open("x".repeat(4_000));
    expect(host.longUrl).toBeUndefined();
    const long = "x".repeat(14_000);
    const { is } = open(long);
    expect(host.longUrl).toBe(long);
    is("open");
    expect(host.longUrl).toBeUndefined();
  });
});
