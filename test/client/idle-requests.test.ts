/** When a question over HTTP counts as dead, and what a wake-up does to it: by the clock of a test. */
import { getEventListeners } from "node:events";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { FetchHost } from "../../client/src/connection/idle-timeout-fetch.ts";
import { wait } from "./scripted-link.ts";
import { scriptedTime } from "./scripted-time.ts";

const times = { connectTimeoutMs: 1_000, silenceMs: 8_000 };

/** Requests whose answers a test decides. */
function requests() {
  const { transcript, say } = scriptedTime();
  const asked: { signal: AbortSignal; answer(response: Response): void }[] = [];
  vi.stubGlobal("fetch", (_url: string, { signal }: { signal: AbortSignal }) => {
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    asked.push({ signal, answer: resolve });
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason));
    return promise;
  });
  const host = new FetchHost(times);
  const ask = (method: "GET" | "POST", signal?: AbortSignal) => {
    const init = { method, ...(signal && { signal }) };
    host.fetch("http://x", init as never).then(
      async (response) => {
        const { status, headers, body } = response as Response;
        const text = body === null ? "nothing" : await (response as Response).text();
        say(`${method} ${status} ${text} ${headers.get("x-a") ?? ""}`.trim());
      },
      (error: Error) => say(`${method} fails: ${error.message}`),
    );
  };
  return { host, ask, transcript, asked };
}

describe("over HTTP", () => {
  test("a question has the time of a connection, then longer, up to the silence that is allowed", async () => {
    const { ask, asked, transcript } = requests();
    for (let times = 0; times < 5; times++) {
      ask("GET");
      await wait(8_000);
    }
    const silent = [1_000, 2_000, 4_000, 8_000, 8_000];
    expect(transcript).toEqual(
      silent.map((ms, index) => {
        return `${index * 8_000 + ms} GET fails: No answer came: silent for ${ms} ms.`;
      }),
    );
    // An answer makes them short again.
    ask("GET");
    asked.at(-1)?.answer(new Response("x"));
    await wait(0);
    ask("GET");
    await wait(1_000);
    expect(transcript.slice(5)).toEqual([
      "40000 GET 200 x",
      "41000 GET fails: No answer came: silent for 1000 ms.",
    ]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("a change has all of it at once", async () => {
    const { ask, transcript } = requests();
    ask("POST");
    await wait(8_000);
    expect(transcript).toEqual(["8000 POST fails: No answer came: silent for 8000 ms."]);
  });

  test.each([
    ["goes on is waited for", 4, "28000 GET 203 äöüß"],
    ["stops in the middle is not", 2, "22000 GET fails: No answer came: silent for 8000 ms."],
  ])("an answer that %s", async (_what, parts, outcome) => {
    const { ask, asked, transcript } = requests();
    ask("GET");
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const body = writable.getWriter();
    const [{ signal, answer }] = asked as [(typeof asked)[number]];
    signal.addEventListener("abort", () => void body.abort(signal.reason).catch(() => {}));
    answer(new Response(readable, { status: 203 }));
    const whole = new TextEncoder().encode("äöüß");
    for (let part = 0; part < parts; part++) {
      await wait(7_000);
      // Within a letter.
      const from = part === 0 ? 0 : part * 2 - 1;
      void body.write(whole.slice(from, part === 3 ? 8 : part * 2 + 1));
    }
    await wait(0);
    if (parts === 4) void body.close();
    await wait(8_000);
    expect(transcript).toEqual([outcome]);
  });

  test("an answer without a body, and one on a platform that shows none, are answers", async () => {
    const { ask, asked, host, transcript } = requests();
    ask("POST");
    asked.at(-1)?.answer(new Response(null, { status: 204, headers: { "x-a": "b" } }));
    ask("POST");
    const unseen = { status: 200, headers: new Headers(), text: async () => "all" };
    asked.at(-1)?.answer(unseen as Response);
    await wait(0);
    expect(transcript).toEqual(["0 POST 204 nothing b", "0 POST 200 all"]);
    // Nothing is kept of what was answered.
    const abort = vi.spyOn(AbortController.prototype, "abort");
    onTestFinished(() => abort.mockRestore());
    host.close();
    expect(abort).not.toHaveBeenCalled();
  });

  test("after a sleep, questions that were silent fail, and changes never", async () => {
    const { ask, host, transcript } = requests();
    // After these a question may take longer.
    for (const ms of [1_000, 2_000, 4_000]) {
      ask("GET");
      await wait(ms);
    }
    transcript.length = 0;
    ask("GET");
    ask("POST");
    await wait(5_000);
    host.wake();
    await wait(1);
    expect(transcript).toEqual([]);
    host.wake();
    await wait(0);
    expect(transcript).toEqual(["12001 GET fails: No answer came: asleep."]);
  });

  test("whoever closes fails all of it", async () => {
    const { ask, host, transcript } = requests();
    ask("GET");
    ask("POST");
    host.close();
    await wait(0);
    const closed = "fails: No answer came: closed.";
    expect(transcript).toEqual([`0 GET ${closed}`, `0 POST ${closed}`]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("a signal ends it, before or after it was asked", async () => {
    const { ask, transcript } = requests();
    ask("GET", AbortSignal.abort(new Error("before")));
    const stop = new AbortController();
    ask("GET", stop.signal);
    stop.abort(new Error("after"));
    await wait(0);
    expect(getEventListeners(stop.signal, "abort")).toEqual([]);
    expect(transcript).toEqual(["0 GET fails: before", "0 GET fails: after"]);
  });
});
