/** What the transport for the AI SDK asks of a client, and what it lets go of: without a server. */
import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { createChatTransport, type LangwireUIMessage } from "../../client/src/ai-sdk/index.ts";
import type { LangwireClientError } from "../../client/src/index.ts";
import type { ChatEvent } from "../../client/src/types.ts";
import { endOf, errorOf, startOf, tokenOf } from "./scripted-chat.ts";

const uuid = "5f2b0c7e-8a52-4a0e-9d3c-1b1f0a8d2c11";
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
const said = (text: string, role = "user") =>
  ({ id: text, role, parts: [{ type: "text", text }] }) as LangwireUIMessage;

type Options = Omit<Parameters<typeof createChatTransport>[0], "client" | "botId">;

function setUp(options: Options = {}) {
  const transcript: string[] = [];
  const say = (line: string) => void transcript.push(line);
  const sent: Record<string, unknown>[] = [];
  /** What the server says of the conversation, one question after the other. */
  const running: (string | undefined | Error)[] = [];
  const ends = new Map<string, () => void>();
  const run = (id: string) => {
    const events: ChatEvent[] = [startOf(id, "Hi"), tokenOf(id, `Hello from ${id}`)];
    const end = Promise.withResolvers<void>();
    ends.set(id, end.resolve);
    return {
      ...{ id, ended: end.promise },
      cancel: async () => say(`cancels ${id} itself`),
      detach: () => say(`leaves ${id}`),
      async *[Symbol.asyncIterator]() {
        yield* events;
        await end.promise;
        yield endOf(id, "completed", `Hello from ${id}`);
      },
    };
  };
  const client = {
    send: (input: Record<string, unknown>) => {
      sent.push(input);
      return run(`r${sent.length}`);
    },
    follow: ({ runId }: { runId: string }) => {
      say(`follows ${runId}`);
      return run(runId);
    },
    cancel: async (runId: string) => say(`cancels ${runId}`),
    conversations: {
      get: async ({ conversationId }: { conversationId: string }) => {
        say(`asks of ${conversationId}`);
        const next = running.shift();
        if (next instanceof Error) throw next;
        return { runningRunId: next };
      },
    },
  };
  const transport = createChatTransport({ client: client as never, botId: "b", ...options });
  const send = (chatId: string, messages: LangwireUIMessage[], abortSignal?: AbortSignal) =>
    transport.sendMessages({
      ...{ trigger: "submit-message", chatId, messageId: undefined, messages, abortSignal },
    });
  const resume = (chatId: string, abortSignal?: AbortSignal) =>
    transport.reconnectToStream({ chatId, ...(abortSignal && { abortSignal }) } as never);
  return { transport, transcript, sent, running, ends, send, resume };
}

describe("what is sent", () => {
  test.each<[string, LangwireUIMessage[], object]>([
    [
      "the last message of a person",
      [said("One"), said("Two"), said("No", "assistant")],
      { message: "Two" },
    ],
    [
      "its texts, a line each",
      [{ ...said(""), parts: [...said("a").parts, ...said("b").parts] }],
      { message: "a\nb" },
    ],
    [
      "a typed bot's input",
      [{ ...said(""), parts: [{ type: "data-input", data: 0 }] }],
      { input: 0 },
    ],
    ["nothing of nobody", [], { message: "" }],
  ])("is %s", async (_what, messages, given) => {
    const { send, sent } = setUp({ ifBusy: "interrupt" });
    await send(uuid, messages);
    expect(sent).toEqual([{ botId: "b", conversationId: uuid, ifBusy: "interrupt", ...given }]);
  });

  test.each([
    [
      "an input with words beside it",
      [
        { type: "data-input", data: 0 },
        { type: "text", text: "x" },
      ],
    ],
    ["a file", [{ type: "file", mediaType: "image/png", url: "data:x" }]],
  ])("is never %s, which is refused", async (_what, parts) => {
    const { send, sent } = setUp();
    await expect(send(uuid, [{ ...said(""), parts } as never])).rejects.toMatchObject({
      code: "BAD_INPUT",
    });
    expect(sent).toEqual([]);
  });

  test("goes to the chat's own conversation: by its UUID, or one that is kept, or as the application says", async () => {
    const { send, sent } = setUp();
    for (const chat of ["one", "two", "one", uuid]) await send(chat, [said("Hi")]);
    const [one, two, again, own] = sent.map(({ conversationId }) => conversationId);
    expect([one === again, one === two, own]).toEqual([true, false, uuid]);
    const given = setUp({ conversationId: (chatId) => `of ${chatId}` });
    await given.send(uuid, [said("Hi")]);
    expect(given.sent[0]?.conversationId).toBe(`of ${uuid}`);
  });
});

describe("who reads", () => {
  test("is given the run to its end, and nothing listens after it", async () => {
    const { send, ends, transcript } = setUp();
    const { signal } = new AbortController();
    const reader = (await send(uuid, [said("Hi")], signal)).getReader();
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    ends.get("r1")?.();
    const types: string[] = [];
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      types.push(next.value.type);
    }
    expect(types.at(-1)).toBe("finish");
    await settled();
    expect([getEventListeners(signal, "abort"), transcript]).toEqual([[], []]);
  });

  test.each(["aborts", "cancels its stream"])(
    "and %s leaves the run, which goes on",
    async (how) => {
      const { send, transcript } = setUp();
      const leaving = new AbortController();
      const stream = await send(uuid, [said("Hi")], leaving.signal);
      if (how === "aborts") leaving.abort();
      else await stream.cancel();
      expect(transcript).toEqual(["leaves r1"]);
    },
  );
});

describe("a chat that is resumed", () => {
  test("follows the run that it follows, else the one that is in progress, and none where there is none", async () => {
    const { send, resume, running, ends, transcript } = setUp();
    await send(uuid, [said("Hi")]);
    expect(await resume(uuid)).not.toBeNull();
    expect(transcript.splice(0)).toEqual(["follows r1"]);
    // Both have ended: what it followed is followed no more.
    ends.get("r1")?.();
    await settled();
    running.push("other", undefined, errorOf("NOT_FOUND"), errorOf("UNAUTHORIZED"));
    expect(await resume(uuid)).not.toBeNull();
    ends.get("other")?.();
    await settled();
    expect(await resume(uuid)).toBeNull();
    expect(await resume(uuid)).toBeNull();
    await expect(resume(uuid)).rejects.toMatchObject({ code: "UNAUTHORIZED" });
    const asks = `asks of ${uuid}`;
    expect(transcript).toEqual([asks, "follows other", asks, asks, asks]);
  });

  test("and left meanwhile follows nothing", async () => {
    const { resume, running, transcript } = setUp();
    running.push("r");
    const leaving = new AbortController();
    const resumed = resume(uuid, leaving.signal);
    leaving.abort();
    expect(await resumed).toBeNull();
    expect(transcript).toEqual([`asks of ${uuid}`]);
  });
});

test("cancelling stops what a chat follows now, else what is in progress there", async () => {
  const { transport, send, running, ends, transcript } = setUp();
  for (const text of ["One", "Two"]) await send(uuid, [said(text)]);
  // The one before ends, and takes nothing of the next.
  ends.get("r1")?.();
  await settled();
  await transport.cancel(uuid);
  expect(transcript.splice(0)).toEqual(["cancels r2 itself"]);
  ends.get("r2")?.();
  await settled();
  running.push("other", undefined);
  for (let times = 0; times < 2; times++) await transport.cancel(uuid);
  const asks = `asks of ${uuid}`;
  expect(transcript).toEqual([asks, "cancels other", asks]);
});

test("a run that failed fails its stream, with its code and what there was", async () => {
  const failing = {
    id: "r",
    ended: Promise.resolve(),
    detach: () => {},
    async *[Symbol.asyncIterator]() {
      yield startOf("r", "Hi");
      yield tokenOf("r", "Half");
      const error = { code: "OVERLOADED", message: "No.", retryable: true };
      yield { ...endOf("r", "completed", "Half"), status: "failed", error };
    },
  };
  const client = { send: () => failing };
  const transport = createChatTransport({ client: client as never, botId: "b" });
  const stream = await transport.sendMessages({
    ...{ trigger: "submit-message", chatId: uuid, messageId: undefined, messages: [said("Hi")] },
    abortSignal: undefined,
  });
  const types: string[] = [];
  const read = (async () => {
    for await (const { type } of stream) {
      types.push(type);
      // Of who reads slowly, an error discards what was made for them before.
      await settled();
    }
  })();
  const error: LangwireClientError = await read.then(
    () => Promise.reject(new Error("it did not fail")),
    (cause) => cause,
  );
  expect([error.code, error.retryable, error.partialText]).toEqual(["OVERLOADED", true, "Half"]);
  expect(types).toEqual([
    ...["start", "start-step", "text-start", "text-delta"],
    ...["text-end", "message-metadata"],
  ]);
});

test("a run that is left before its end is no answer: its stream fails as the run does", async () => {
  const closed = errorOf("CLOSED");
  const left = {
    id: "r",
    ended: Promise.reject(closed),
    detach: () => {},
    async *[Symbol.asyncIterator]() {
      yield startOf("r", "Hi");
    },
  };
  const client = { send: () => left } as never;
  const { sendMessages } = createChatTransport({ client, botId: "b" });
  const messages = [said("Hi")];
  const stream = await sendMessages({
    ...{ trigger: "submit-message", chatId: uuid, messageId: undefined, messages },
    abortSignal: undefined,
  });
  const reader = stream.getReader();
  const read = async () => {
    for (let next = await reader.read(); !next.done; next = await reader.read());
  };
  await expect(read()).rejects.toBe(closed);
});
