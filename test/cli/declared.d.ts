/**
 * The types of a Langwire server's bots, for `createClient<Bots>()` and `useChat<Bots, "id">`.
 * Made by `langwire types`: it is made again, not edited.
 */
export type Bots = {
  /** Bot. What *\/ it does. */
  readonly invoice: {
    readonly input: {
      /** A file's name *\/ */
      file: string;
      currency?: "EUR" | "JPY" | undefined;
      pages?: [number, number] | undefined;
      "odd name": 1 | "two" | null;
      either: string | {
        at: string;
      } | null;
      anything: InvoiceInput___schema0;
    };
    readonly output: {
      total: number;
      lines: Array<{
        name: string;
        price?: number | undefined;
      }>;
      notes: {
        [key: string]: boolean;
      };
      nothing: Record<string, never>;
      kind: {
        type: "a";
        a: number;
      } | {
        type: "b";
        b: string;
      };
    };
    readonly state: {
      readonly progress: {
        page: number;
      };
      readonly "a plan": Array<string>;
    };
  };
  /** Bot. What *\/ it does. */
  readonly "1-threads": {
    readonly input: Bot1ThreadsInput;
    readonly output: Bot1ThreadsOutput;
    readonly state: Record<never, never>;
  };
  /** Bot. What *\/ it does. */
  readonly chat: {
    readonly input: undefined;
    readonly output: undefined;
    readonly state: Record<never, never>;
  };
};

type InvoiceInput___schema0 = string | number | boolean | null | Array<InvoiceInput___schema0> | {
  [key: string]: InvoiceInput___schema0;
};

type Bot1ThreadsInput = {
  /** What was written */
  text: string;
  answers: Array<Bot1ThreadsInput>;
};

type Bot1ThreadsOutput = {
  /** What was written */
  text: string;
  answers: Array<Bot1ThreadsOutput>;
};
