import type { Runnable } from "@langchain/core/runnables";
import { expectTypeOf, test } from "vitest";
import { z } from "zod";
import { type ChatTransportOptions, createChatTransport } from "../../client/src/ai-sdk/index.ts";
import {
  type ChatEvent,
  createClient,
  type EventOf,
  type Json,
  type LangwireClient,
  type Partially,
  type SendInput,
} from "../../client/src/index.ts";
import { type UseChatOptions, useChat, useConnection } from "../../client/src/react/index.ts";
import { defineBot } from "../../src/index.ts";

declare const runnable: Runnable;
const described = { title: "Typed", description: "", runnable };
const output = z.object({ total: z.number(), lines: z.array(z.object({ name: z.string() })) });
const invoiceBot = defineBot({
  ...described,
  id: "invoice",
  input: z.object({ file: z.string(), currency: z.enum(["EUR", "JPY"]).default("EUR") }),
  output,
  state: { progress: z.object({ page: z.number() }), plan: z.array(z.string()) },
});
const chatBot = defineBot({ ...described, id: "chat" });
const reporter = defineBot({ ...described, id: "reporter", output: z.array(z.string()) });
const bots = [invoiceBot, chatBot, reporter] as const;

/** As `langwire types` writes it. */
type Declared = {
  readonly invoice: {
    readonly input: { file: string; currency?: "EUR" | "JPY" };
    readonly output: { total: number; lines: { name: string }[] };
    readonly state: { progress: { page: number }; plan: string[] };
  };
  readonly chat: { readonly input: undefined; readonly output: undefined; readonly state: object };
};

const options = { url: "ws://127.0.0.1:3000/trpc" };
const client = createClient<typeof bots>(options);
const declared = createClient<Declared>(options);
const untyped = createClient(options);
const input = { file: "bill.pdf" };
type Output = z.infer<typeof output>;

test("a typed bot's input and output infer", async () => {
  const run = client.send({ botId: "invoice", input });
  expectTypeOf(run.botId).toEqualTypeOf<string>();
  expectTypeOf(await run.output).toEqualTypeOf<Output | undefined>();
  expectTypeOf((await run.ended).output).toEqualTypeOf<Output | undefined>();
  const same = declared.send({ botId: "invoice", input });
  expectTypeOf(await same.output).toEqualTypeOf<Output | undefined>();
  expectTypeOf(await client.send({ botId: "reporter", message: "hi" }).output).toEqualTypeOf<
    string[] | undefined
  >();
  expectTypeOf(
    await client.send({ botId: "chat", message: "hi" }).output,
  ).toEqualTypeOf<undefined>();
});

test("what is wrong does not compile", () => {
  // @ts-expect-error there is no such bot
  client.send({ botId: "invoices", message: "hi" });
  // @ts-expect-error it takes an input
  client.send({ botId: "invoice", message: "hi" });
  // @ts-expect-error the file is missing
  client.send({ botId: "invoice", input: {} });
  // @ts-expect-error there is no such currency
  client.send({ botId: "invoice", input: { file: "bill.pdf", currency: "USD" } });
  // @ts-expect-error there is no such field
  client.send({ botId: "invoice", input: { file: "bill.pdf", page: 1 } });
  // @ts-expect-error it takes a message
  client.send({ botId: "chat", input });
  // @ts-expect-error either of them
  client.send({ botId: "chat" });
  // @ts-expect-error it takes an input, as declared
  declared.send({ botId: "invoice", message: "hi" });
  // @ts-expect-error what a client is typed by is a list of bots, or their types
  createClient<string>(options);
});

test("events narrow, by type and by channel", async () => {
  for await (const event of client.send({ botId: "invoice", input })) {
    switch (event.type) {
      case "runStart":
        expectTypeOf(event.input?.currency).toEqualTypeOf<"EUR" | "JPY" | undefined>();
        break;
      case "output":
        expectTypeOf(event.value).toEqualTypeOf<Partially<Output>>();
        expectTypeOf(event.value.lines?.[0]?.name).toEqualTypeOf<string | undefined>();
        break;
      case "state":
        if (event.channel === "progress") expectTypeOf(event.value.page).toEqualTypeOf<number>();
        else expectTypeOf(event.value).toEqualTypeOf<string[]>();
        break;
      case "runEnd":
        expectTypeOf(event.output).toEqualTypeOf<Output | undefined>();
        break;
      case "token":
        expectTypeOf(event.text).toEqualTypeOf<string>();
    }
  }
  for await (const event of client.send({ botId: "chat", message: "hi" })) {
    // @ts-expect-error it answers a text alone, and reports nothing
    if (event.type === "output" || event.type === "state") break;
  }
});

test("a run may be sent again as it is", () => {
  const run = client.send({ botId: "invoice", input });
  client.send(run.toJSON());
  const any = untyped.send({ botId: "any", message: "hi" });
  untyped.send(any.toJSON());
});

test("a client of which nothing is known takes any bot, and any JSON", async () => {
  const run = untyped.send({ botId: "any", input: { anything: [1] } });
  expectTypeOf(await run.output).toEqualTypeOf<Json | undefined>();
  expectTypeOf(run.ended).toEqualTypeOf<Promise<EventOf<"runEnd">>>();
  for await (const event of run) expectTypeOf(event).toEqualTypeOf<ChatEvent>();
  const sent: SendInput = { botId: "any", message: "hi" };
  untyped.send(sent);
  // @ts-expect-error a date is no JSON
  untyped.send({ botId: "any", input: new Date() });
});

test("what takes a client takes a typed one", () => {
  const uses = (some: LangwireClient) => some.close();
  uses(client);
  uses(declared);
  useConnection(client);
  useChat({ client: untyped, botId: "anything" });
});

test("what is given a typed client knows its bots", () => {
  const chat = useChat({ client, botId: "invoice" });
  expectTypeOf(chat.send).parameter(0).toEqualTypeOf<{
    file: string;
    currency?: "EUR" | "JPY" | undefined;
  }>();
  // @ts-expect-error it takes an input
  chat.send("hi");
  // @ts-expect-error there is no such bot
  useChat({ client, botId: "typo" });
  // @ts-expect-error there is no such bot, as declared
  useChat({ client: declared, botId: "typo" });
  useChat({ client: declared, botId: "chat" }).send("hi");
  // @ts-expect-error it takes a message
  useChat({ client: declared, botId: "chat" }).send({ file: "bill.pdf" });
  useChat<Declared, "chat">({ client: declared, botId: "chat" }).send("hi");
  useChat<typeof bots, "invoice">({ client: untyped, botId: "invoice" }).send(input);
  createChatTransport({ client, botId: "invoice" });
  createChatTransport({ client: untyped, botId: "anything" });
  // Where an application hands them on, they are those of any bots.
  const handedOn: UseChatOptions = { client, botId: "invoice" };
  useChat(handedOn).send("hi");
  const handedOnToo: ChatTransportOptions = { client: declared, botId: "chat" };
  createChatTransport(handedOnToo);
  // @ts-expect-error there is no such bot
  createChatTransport({ client, botId: "typo" });
  // @ts-expect-error there is no such bot, as declared
  createChatTransport({ client: declared, botId: "typo" });
});

test("what is watched, and what was said, has the types of any of the bots", async () => {
  for await (const event of client.watch({ conversationId: "" })) {
    if (event.type === "state") {
      if (event.channel === "progress") expectTypeOf(event.value.page).toEqualTypeOf<number>();
      else expectTypeOf(event.value).toEqualTypeOf<string[]>();
    }
    if (event.type === "runStart" && event.botId === "invoice") {
      expectTypeOf(event.input?.file).toEqualTypeOf<string | undefined>();
    }
    if (event.type === "runEnd") {
      expectTypeOf(event.output).toEqualTypeOf<Output | string[] | undefined>();
    }
  }
  for await (const event of declared.watch({ conversationId: "" })) {
    // @ts-expect-error no bot reports that
    if (event.type === "state" && event.channel === "typo") break;
  }
  for await (const event of untyped.watch({ conversationId: "" })) {
    expectTypeOf(event).toEqualTypeOf<ChatEvent>();
  }
  const { items } = await client.conversations.messages({ conversationId: "" });
  expectTypeOf(items[0]?.output).toEqualTypeOf<Output | string[] | undefined>();
  expectTypeOf(items[0]?.text).toEqualTypeOf<string | undefined>();
  useChat({ client, botId: "invoice", initialMessages: items });
});

test("the hook knows its bot", () => {
  const chat = useChat<typeof bots, "invoice">({ client, botId: "invoice" });
  expectTypeOf(chat.send).parameter(0).toEqualTypeOf<{
    file: string;
    currency?: "EUR" | "JPY" | undefined;
  }>();
  // @ts-expect-error it takes an input
  chat.send("hi");
  // @ts-expect-error the file is missing
  chat.send({});
  for (const message of chat.messages) {
    if (message.role === "human") {
      expectTypeOf(message.input?.file).toEqualTypeOf<string | undefined>();
      continue;
    }
    if (message.status === "completed") {
      expectTypeOf(message.output).toEqualTypeOf<Output | undefined>();
    } else expectTypeOf(message.output).toEqualTypeOf<Partially<Output> | undefined>();
    expectTypeOf(message.state.progress?.page).toEqualTypeOf<number | undefined>();
  }
  // @ts-expect-error another bot's id
  useChat<typeof bots, "invoice">({ client, botId: "chat" });
  const byUrl = useChat<Declared, "chat">({ url: options.url, botId: "chat" });
  byUrl.send("hi");
  // @ts-expect-error it takes a message
  byUrl.send({ file: "bill.pdf" });
  const plain = useChat({ client: untyped, botId: "any" });
  plain.send("hi");
  plain.send({ anything: 1 });
});
