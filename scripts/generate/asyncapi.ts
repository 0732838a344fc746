/** The WebSocket, frame by frame, as an AsyncAPI 3.0 document: enough to write a client from. */
import { type JsonSchema, jsonDefinitions, schemaName } from "./json-schemas.ts";
import type { Procedure } from "./procedures.ts";

interface Message {
  readonly name: string;
  readonly summary: string;
  readonly contentType?: string;
  readonly payload: unknown;
}

const channelId = "trpc";

const schemaRef = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const inChannel = (name: string) => ({ $ref: `#/channels/${channelId}/messages/${name}` });
const inComponents = (name: string) => ({ $ref: `#/components/messages/${name}` });

const object = (properties: Record<string, unknown>, optional: readonly string[] = []) => ({
  type: "object",
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
  properties,
});
/** superjson's envelope around plain JSON. */
const plain = (json: unknown) => object({ json });
const constant = (value: string) => ({ type: "string", const: value });

const requestId = {
  type: ["integer", "string"],
  description: "Made by the client for each request on a socket, and repeated in every reply.",
};
const eventId = { type: "string", pattern: "^[1-9]\\d{0,14}$" };
const position = { type: "string", pattern: "^(0|[1-9]\\d{0,14})$" };

/** What every request may be answered with, and what needs no request. */
const sharedMessages: readonly Message[] = [
  {
    name: "connectionParams",
    summary: "The first frame of a socket whose URL has ?connectionParams=1: who is calling.",
    payload: object({
      method: constant("connectionParams"),
      data: {
        type: ["object", "null"],
        properties: {
          token: { type: "string", description: "Where the server authenticates." },
          userId: { type: "string", description: "Where it does not. Default: local." },
        },
      },
    }),
  },
  {
    name: "subscription.stop",
    summary: "Ends a subscription. The run behind it goes on.",
    payload: object({ id: requestId, method: constant("subscription.stop") }),
  },
  {
    name: "started",
    summary:
      "The subscription was accepted; its events follow. Its id is where it begins: after a socket lost before the first event, it goes into lastEventId.",
    payload: object({ id: requestId, result: object({ type: constant("started"), id: position }) }),
  },
  {
    name: "event",
    summary: "One event of a subscription. After a lost socket, its id goes into lastEventId.",
    payload: object({
      id: requestId,
      result: object({
        type: constant("data"),
        id: eventId,
        data: plain(object({ id: eventId, data: schemaRef("chatEvent") })),
      }),
    }),
  },
  {
    name: "stopped",
    summary: "The subscription has ended, and nothing more comes for it.",
    payload: object({ id: requestId, result: object({ type: constant("stopped") }) }),
  },
  {
    name: "failed",
    summary:
      "The request was refused, or a subscription ended by failing. Without an id: the socket.",
    payload: object({
      id: { type: ["integer", "string", "null"] },
      error: plain(
        object({
          message: { type: "string" },
          code: { type: "integer", description: "JSON-RPC's number; data.langwire says more." },
          data: object({
            code: { type: "string", description: "tRPC's name of the code." },
            httpStatus: { type: "integer" },
            langwire: schemaRef("refusal"),
          }),
        }),
      ),
    }),
  },
  {
    name: "reconnect",
    summary: "The server is about to close: open another socket and subscribe again.",
    payload: object({ id: { type: "null" }, method: constant("reconnect") }),
  },
  {
    name: "ping",
    summary: "Sent by a client that wants to know whether the socket is alive.",
    contentType: "text/plain",
    payload: constant("PING"),
  },
  {
    name: "pong",
    summary: "Answers a ping, behind whatever was on its way before it.",
    contentType: "text/plain",
    payload: constant("PONG"),
  },
];

export function asyncApiDocument(procedures: readonly Procedure[], version: string) {
  const messages = [
    ...sharedMessages,
    ...procedures.map(request),
    ...procedures.filter(({ kind }) => kind !== "subscription").map(result),
  ];
  return {
    asyncapi: "3.0.0",
    info: {
      title: "Langwire",
      version,
      description:
        "LangChain runs over one WebSocket: tRPC 11 requests with superjson envelopes. " +
        "Several requests may share a frame, as an array.",
      license: { name: "MIT" },
    },
    defaultContentType: "application/json",
    servers: {
      local: {
        host: "127.0.0.1:3000",
        protocol: "ws",
        description: "As `npm start` opens it.",
      },
    },
    channels: {
      [channelId]: {
        address: "/trpc",
        servers: [{ $ref: "#/servers/local" }],
        bindings: {
          ws: {
            query: { type: "object", properties: { connectionParams: { const: "1" } } },
            bindingVersion: "0.1.0",
          },
        },
        messages: Object.fromEntries(messages.map(({ name }) => [name, inComponents(name)])),
      },
    },
    operations: Object.fromEntries([
      operation("connect", { action: "receive", message: "connectionParams" }),
      ...procedures.map((procedure) =>
        operation(procedure.path, {
          action: "receive",
          summary: procedure.summary,
          message: procedure.path,
          replies: [
            ...(procedure.kind === "subscription"
              ? ["started", "event", "stopped"]
              : [resultName(procedure)]),
            "failed",
          ],
        }),
      ),
      operation("stop", { action: "receive", message: "subscription.stop", replies: ["stopped"] }),
      operation("ping", { action: "receive", message: "ping", replies: ["pong"] }),
      operation("reconnect", { action: "send", message: "reconnect" }),
    ]),
    components: {
      messages: Object.fromEntries(messages.map((message) => [message.name, message])),
      schemas: definitions(),
    },
  };
}

function operation(
  name: string,
  options: {
    action: "send" | "receive";
    summary?: string;
    message: string;
    replies?: readonly string[];
  },
) {
  const { action, summary, message, replies } = options;
  const channel = { $ref: `#/channels/${channelId}` };
  return [
    name,
    {
      action,
      channel,
      ...(summary === undefined ? {} : { summary }),
      messages: [inChannel(message)],
      ...(replies === undefined ? {} : { reply: { channel, messages: replies.map(inChannel) } }),
    },
  ] as const;
}

function request({ path, kind, summary, input }: Procedure): Message {
  const params = object(
    {
      path: constant(path),
      ...(input === undefined ? {} : { input: plain(schemaRef(schemaName(input))) }),
      ...(kind === "subscription"
        ? {
            lastEventId: {
              ...eventId,
              description: "The last event that arrived, when a lost socket is replaced.",
            },
          }
        : {}),
    },
    ["lastEventId"],
  );
  return {
    name: path,
    summary,
    payload: object({ id: requestId, method: constant(kind), params }),
  };
}

const resultName = ({ path }: Procedure) => `${path}.result`;

function result(procedure: Procedure): Message {
  const data = plain(schemaRef(schemaName(procedure.output)));
  return {
    name: resultName(procedure),
    summary: `Answers ${procedure.path}.`,
    payload: object({ id: requestId, result: object({ type: constant("data"), data }) }),
  };
}

function definitions(): Record<string, JsonSchema> {
  const schemas = jsonDefinitions((name) => schemaRef(name).$ref);
  const { failure } = schemas;
  const { message: _, ...properties } = failure?.properties ?? {};
  const refusal: JsonSchema = {
    type: "object",
    description: "What a program needs to know of an error; its message stands beside it.",
    properties,
    required: ["code", "retryable"],
  };
  return { ...schemas, refusal };
}
