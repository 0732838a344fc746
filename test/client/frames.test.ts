/** The AsyncAPI document against the frames that a server really sends. */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { hello, setUp } from "./set-up.ts";

type JsonSchema = z.core.JSONSchema.JSONSchema;

interface Document {
  readonly operations: Record<
    string,
    { messages: { $ref: string }[]; reply?: { messages: { $ref: string }[] } }
  >;
  readonly components: {
    messages: Record<string, { payload: JsonSchema }>;
    schemas: Record<string, JsonSchema>;
  };
}

const file = new URL("../../client/generated/asyncapi.json", import.meta.url);
const text = (await readFile(file, "utf8")).replaceAll("#/components/schemas/", "#/$defs/");
const { operations, components } = JSON.parse(text) as Document;

/** @returns the names of the messages whose schema takes the frame */
function matching(frame: unknown, names: readonly string[]): string[] {
  return names.filter((name) => {
    const schema = { ...components.messages[name]?.payload, $defs: components.schemas };
    return z.fromJSONSchema(schema).safeParse(frame).success;
  });
}

const nameOf = ({ $ref }: { $ref: string }) => $ref.slice($ref.lastIndexOf("/") + 1);
const requestsOf = (operation: string) => operations[operation]?.messages.map(nameOf) ?? [];
const repliesOf = (operation: string) => operations[operation]?.reply?.messages.map(nameOf) ?? [];

/** A socket as somebody writes it who has nothing but the document. */
async function dial(url: string) {
  const socket = new WebSocket(`${url}?connectionParams=1`);
  onTestFinished(() => socket.close());
  const frames: { id: unknown }[] = [];
  const arrived = new EventTarget();
  socket.addEventListener("message", ({ data }) => {
    if (data !== "PONG") frames.push(JSON.parse(String(data)));
    arrived.dispatchEvent(new Event("frame"));
  });
  await once(socket, "open");
  const connect = { method: "connectionParams", data: { userId: "somebody" } };
  expect(matching(connect, requestsOf("connect"))).toEqual(["connectionParams"]);
  socket.send(JSON.stringify(connect));
  return {
    /** @returns the names of the replies, up to the last that the document lets us expect */
    async ask(operation: string, request: { id: number }, isLast: (name: string) => boolean) {
      expect(matching(request, requestsOf(operation))).toEqual(requestsOf(operation));
      socket.send(JSON.stringify(request));
      const names: string[] = [];
      for (let position = 0; ; position++) {
        while (frames.filter(({ id }) => id === request.id).length <= position) {
          await once(arrived, "frame");
        }
        const frame = frames.filter(({ id }) => id === request.id)[position];
        const matches = matching(frame, repliesOf(operation));
        expect(matches, JSON.stringify(frame)).toHaveLength(1);
        names.push(...matches);
        if (isLast(names.at(-1) ?? "")) return names;
      }
    },
    socket,
  };
}

describe("every frame is the one that the document announces", () => {
  test("of a run, of questions, and of refusals", async () => {
    const { server } = await setUp();
    const { ask } = await dial(server.url);
    const conversationId = randomUUID();
    const json = { ...hello, runId: randomUUID(), conversationId };
    const send = { method: "subscription", params: { path: "chat.send", input: { json } } };
    const run = await ask("chat.send", { id: 1, ...send }, (name) => name === "stopped");
    expect(new Set(run)).toEqual(new Set(["started", "event", "stopped"]));
    expect(run[0]).toBe("started");

    const list = { method: "query", params: { path: "conversations.list", input: { json: {} } } };
    expect(await ask("conversations.list", { id: 2, ...list }, () => true)).toEqual([
      "conversations.list.result",
    ]);
    const bots = { method: "query", params: { path: "bots.list" } };
    expect(await ask("bots.list", { id: 3, ...bots }, () => true)).toEqual(["bots.list.result"]);

    const unknown = { json: { ...json, runId: randomUUID(), botId: "nobody" } };
    const refused = { ...send, params: { path: "chat.send", input: unknown } };
    expect(await ask("chat.send", { id: 4, ...refused }, () => true)).toEqual(["failed"]);

    const input = { json: { conversationId } };
    const watch = { method: "subscription", params: { path: "chat.watch", input } };
    await ask("chat.watch", { id: 5, ...watch }, (name) => name === "started");
    const stop = { id: 5, method: "subscription.stop" };
    expect(matching(stop, requestsOf("stop"))).toEqual(["subscription.stop"]);
  });

  test("of a ping", async () => {
    const { server } = await setUp();
    const { socket } = await dial(server.url);
    expect(matching("PING", requestsOf("ping"))).toEqual(["ping"]);
    socket.send("PING");
    const [{ data }] = (await once(socket, "message")) as [MessageEvent];
    expect(matching(data, repliesOf("ping"))).toEqual(["pong"]);
  });
});
