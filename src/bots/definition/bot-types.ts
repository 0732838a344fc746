/** What of a bot's definition its clients' types are inferred from. */
import type { StandardSchema } from "./standard-schema.ts";

/** What a bot takes, answers and reports; nothing of it exists at run time. */
export interface BotTypes {
  readonly id: string;
  /** `undefined` for a bot that takes a message. */
  readonly input: unknown;
  /** `undefined` for a bot that answers a text alone. */
  readonly output: unknown;
  /** By channel. */
  readonly state: object;
}

type TypesOf<Schema extends StandardSchema> = NonNullable<Schema["~standard"]["types"]>;

/** Made of what `defineBot` was given. */
export interface TypesOfSettings<Id extends string, Input, Output, State> {
  readonly id: Id;
  /** Of a function nothing is inferred: there `Input` is any schema, or none. */
  readonly input: [Input] extends [StandardSchema] ? TypesOf<Input>["input"] : undefined;
  readonly output: Output extends StandardSchema ? TypesOf<Output>["output"] : undefined;
  readonly state: {
    readonly [Channel in keyof State]: State[Channel] extends StandardSchema
      ? TypesOf<State[Channel]>["output"]
      : never;
  };
}
