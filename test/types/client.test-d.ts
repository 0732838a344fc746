import { expectTypeOf, test } from "vitest";
import {
  type ChatEvent,
  type Conversation,
  createClient,
  type EventOf,
  type EventType,
  type Json,
  type LangwireClientError,
  type Message,
  type RunStatus,
  type Usage,
} from "../../client/src/index.ts";
import type * as protocol from "../../src/protocol/events.ts";
import type { SendInput } from "../../src/protocol/inputs.ts";

const client = createClient({ url: "ws://127.0.0.1:3000/trpc" });

test("an event's type narrows it, without a cast", async () => {
  for await (const event of client.send({ botId: "chat", message: "hello" })) {
    expectTypeOf(event).toEqualTypeOf<ChatEvent>();
    switch (event.type) {
      case "token":
        expectTypeOf(event.text).toEqualTypeOf<string>();
        break;
      case "toolStart":
        expectTypeOf(event.input).toEqualTypeOf<Json | undefined>();
        break;
      case "runEnd":
        expectTypeOf(event.status).toEqualTypeOf<RunStatus>();
        expectTypeOf(event.usage).toEqualTypeOf<Usage | undefined>();
        // @ts-expect-error a run's ending belongs to no span
        event.spanId;
        break;
      default:
        // @ts-expect-error not every event has a text
        event.text;
    }
  }
});

test("events are the protocol's own", () => {
  expectTypeOf<EventType>().toEqualTypeOf<protocol.EventType>();
  expectTypeOf<ChatEvent>().toExtend<protocol.ChatEvent>();
  expectTypeOf<protocol.ChatEvent>().toExtend<ChatEvent>();
  expectTypeOf<EventOf<"error">["code"]>().toEqualTypeOf<protocol.EventOf<"error">["code"]>();
});

test("a run has its id and its promises", () => {
  const run = client.send({
    botId: "chat",
    message: "hello",
    only: ["token"],
    ifBusy: "interrupt",
  });
  expectTypeOf(run.id).toEqualTypeOf<string>();
  expectTypeOf(run.text).toEqualTypeOf<Promise<string>>();
  expectTypeOf(run.ended).toEqualTypeOf<Promise<EventOf<"runEnd">>>();
  expectTypeOf(run.cancel()).toEqualTypeOf<Promise<RunStatus>>();
  expectTypeOf(run.toJSON()).toExtend<Pick<SendInput, "runId" | "conversationId" | "botId">>();
});

test("a wrong input does not compile", () => {
  // @ts-expect-error the message is missing
  client.send({ botId: "chat" });
  // @ts-expect-error a message is a text
  client.send({ botId: "chat", message: 42 });
  // @ts-expect-error there is no such event
  client.send({ botId: "chat", message: "hello", only: ["tokens"] });
  // @ts-expect-error it rejects or interrupts
  client.send({ botId: "chat", message: "hello", ifBusy: "wait" });
  // @ts-expect-error there is no such field
  client.send({ botId: "chat", message: "hello", model: "gpt" });
  // @ts-expect-error a watch names its conversation
  client.watch({});
  // @ts-expect-error a rename needs a title
  client.conversations.rename({ conversationId: "" });
  // @ts-expect-error a page's size is a number
  client.conversations.list({ limit: "all" });
  // @ts-expect-error a client needs a server
  createClient({});
  // @ts-expect-error tokens are texts
  createClient({ url: "ws://127.0.0.1", token: async () => 42 });
});

test("answers are typed", async () => {
  const list = await client.conversations.list();
  expectTypeOf(list).toEqualTypeOf<{ items: Conversation[]; nextCursor?: string | undefined }>();
  const { items } = await client.conversations.messages({ conversationId: "" });
  expectTypeOf(items).toEqualTypeOf<Message[]>();
  const [bot] = await client.bots.list();
  expectTypeOf(bot?.title).toEqualTypeOf<string | undefined>();
  expectTypeOf(
    await client.conversations.get({ conversationId: "" }),
  ).toEqualTypeOf<Conversation>();
});

test("an error's code is one of the server's, or of the client's own", () => {
  type Code = LangwireClientError["code"];
  expectTypeOf<Extract<Code, "CONVERSATION_BUSY" | "UNREACHABLE" | "CLOSED">>().toEqualTypeOf<
    "CONVERSATION_BUSY" | "UNREACHABLE" | "CLOSED"
  >();
  expectTypeOf<"BUSY">().not.toExtend<Code>();
});
