/**
 * Types of a server's bots at the client: `createClient<typeof bots>()`, of the server's own
 * `export const bots = [...] as const`, or of the declaration that `langwire types` writes. They are read by
 * their shape, so nothing of the server is imported.
 */
import type { ChatEvent, EventOf, Inputs, Json, Message } from "./types.ts";

/** What a bot takes, answers and reports. */
export interface BotTypes {
  readonly id: string;
  /** `undefined`: it takes a message. */
  readonly input: unknown;
  /** `undefined`: it answers a text alone. */
  readonly output: unknown;
  /** By channel. */
  readonly state: object;
}

/** A bot of which nothing is known. */
export interface AnyBot extends BotTypes {
  readonly input: Json | undefined;
  readonly output: Json | undefined;
  readonly state: { readonly [channel: string]: Json };
}

/** The bots of `defineBot`, in a list; or their types, by id. */
export type Bots =
  | readonly { readonly "~types"?: BotTypes }[]
  | { readonly [botId: string]: Omit<BotTypes, "id"> };

/** Bots of which nothing is known: any id, any input. */
export type AnyBots = readonly { readonly "~types"?: AnyBot }[];

/** The types of all bots, as a union. */
export type TypesOf<B extends Bots> = B extends readonly (infer Bot)[]
  ? Known<Bot extends { readonly "~types"?: infer T } ? NonNullable<T> : never>
  : { readonly [Id in keyof B & string]: { readonly id: Id } & B[Id] }[keyof B & string];

/** Bots whose ids are not known to the compiler are any bots. */
type Known<T> = T extends BotTypes ? (string extends T["id"] ? AnyBot : T) : never;

export type BotId<B extends Bots> = TypesOf<B>["id"];

/** The types of one bot. */
export type TypesOfBot<B extends Bots, Id extends string> =
  string extends BotId<B> ? AnyBot : Extract<TypesOf<B>, { readonly id: Id }>;

type Send = Inputs["chat"]["send"];

interface SendOptions
  extends Omit<Send, "runId" | "conversationId" | "botId" | "message" | "input"> {
  /** Default: a new conversation. */
  readonly conversationId?: string | undefined;
  /** Default: a new run. One that exists is followed, and no other is started. */
  readonly runId?: string | undefined;
}

interface WithMessage {
  readonly message: string;
  readonly input?: undefined;
}

interface WithInput<Input> {
  readonly input: Input;
  readonly message?: undefined;
}

/** Whether a bot is one of which nothing is known. */
export type IsAny<T extends BotTypes> = [AnyBot] extends [T] ? true : false;
type Takes<T extends BotTypes> =
  IsAny<T> extends true
    ? WithMessage | WithInput<Json>
    : [T["input"]] extends [undefined]
      ? WithMessage
      : WithInput<T["input"]>;

/** What is sent to one bot: a message, or a typed bot's input. */
export type SendInputOf<T extends BotTypes> = T extends BotTypes
  ? SendOptions & { readonly botId: T["id"] } & Takes<T>
  : never;

/** What the hook's `send` takes. */
export type GivenTo<T extends BotTypes> =
  IsAny<T> extends true ? Json : [T["input"]] extends [undefined] ? string : T["input"];

/** As far as a model has written it: texts may be cut, and what comes last is missing. */
export type Partially<T> = T extends readonly (infer Item)[]
  ? Partially<Item>[]
  : T extends object
    ? { [Key in keyof T]?: Partially<T[Key]> }
    : T;

export type With<Event, Fields> = Omit<Event, keyof Fields> & Fields;

/** The ending of one bot's run. */
export type RunEndOf<T extends BotTypes> =
  IsAny<T> extends true
    ? EventOf<"runEnd">
    : With<EventOf<"runEnd">, { output?: OptionalOutput<T> }>;

type OptionalOutput<T extends BotTypes> = [T["output"]] extends [undefined]
  ? undefined
  : T["output"] | undefined;

type StateEventOf<State> = {
  [Channel in keyof State & string]: With<
    EventOf<"state">,
    { channel: Channel; value: State[Channel] }
  >;
}[keyof State & string];

type OutputEventOf<T extends BotTypes> = [T["output"]] extends [undefined]
  ? never
  : With<EventOf<"output">, { value: Partially<T["output"]> }>;

/** The events of one bot's runs. */
export type ChatEventOf<T extends BotTypes> =
  IsAny<T> extends true
    ? ChatEvent
    : T extends BotTypes
      ?
          | Exclude<ChatEvent, { type: "runStart" | "output" | "state" | "runEnd" }>
          | With<EventOf<"runStart">, { botId: T["id"]; input?: T["input"] | undefined }>
          | OutputEventOf<T>
          | StateEventOf<T["state"]>
          | RunEndOf<T>
      : never;

/** A message of a conversation. Which bot's it is it does not say: `output` is that of any of them. */
export type MessageOf<T extends BotTypes> =
  IsAny<T> extends true ? Message : With<Message, { output?: T["output"] | undefined }>;

/**
 * What of a bot's types its runs have. They are worked out here, once, so that the compiler takes a typed
 * client, and its runs, wherever any would do.
 */
export interface RunTypes {
  readonly event: object;
  readonly end: object;
  readonly output: unknown;
  readonly sent: object;
}

export type RunTypesOf<T extends BotTypes> = Resolved<{
  readonly event: ChatEventOf<T>;
  readonly end: RunEndOf<T>;
  readonly output: T["output"];
  readonly sent: SendInputOf<T>;
}>;

/** The same, without the name of what it was made of: the compiler compares its fields, and not that. */
export type Resolved<T> = { readonly [Key in keyof T]: T[Key] };

export type AnyRun = RunTypesOf<AnyBot>;
