import { type ClientErrorCode, LangwireClientError } from "../../client/src/index.ts";
import { Chat } from "../../client/src/react/index.ts";
import type { ChatEvent, Json, Message } from "../../client/src/types.ts";
import { wait } from "../client/scripted-link.ts";
import { scriptedTime } from "../client/scripted-time.ts";

export const errorOf = (
  code: ClientErrorCode,
  more: { retryable?: boolean; retryAfterMs?: number } = {},
) => new LangwireClientError({ code, message: code, ...more });
export const busy = (retryAfterMs?: number) =>
  errorOf("OVERLOADED", { retryable: true, ...(retryAfterMs && { retryAfterMs }) });

/** Events as they come, until they end or fail. */
class Feed implements AsyncIterable<ChatEvent> {
  readonly #waiting: (ChatEvent | Error | undefined)[] = [];
  #wake = Promise.withResolvers<void>();

  put(next: ChatEvent | Error | undefined): void {
    this.#waiting.push(next);
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ChatEvent, undefined> {
    for (;;) {
      while (this.#waiting.length === 0) await this.#wake.promise;
      const next = this.#waiting.shift();
      if (next === undefined) return;
      if (next instanceof Error) throw next;
      yield next;
    }
  }
}

export class ScriptedWatch extends Feed {
  lastEventId: string | undefined;
  readonly #accepted = Promise.withResolvers<void>();

  constructor(lastEventId: string | undefined) {
    super();
    this.lastEventId = lastEventId;
    this.started.catch(() => {});
  }

  get started(): Promise<void> {
    return this.#accepted.promise;
  }

  accepts(): void {
    this.#accepted.resolve();
  }

  is(id: number, event: ChatEvent): void {
    this.lastEventId = String(id);
    this.put(event);
  }

  fails(error: Error): void {
    this.#accepted.reject(error);
    this.put(error);
  }
}

interface SentInput {
  readonly runId: string;
  readonly message?: string;
  readonly input?: Json;
  readonly only?: readonly string[];
}

export class ScriptedRun extends Feed {
  readonly id: string;
  readonly input: SentInput;
  startEventId: string | undefined;
  readonly #end = Promise.withResolvers<unknown>();
  readonly #say: (line: string) => void;

  constructor(input: SentInput, say: (line: string) => void) {
    super();
    this.id = input.runId;
    this.input = input;
    this.#say = say;
    this.ended.catch(() => {});
  }

  get ended(): Promise<unknown> {
    return this.#end.promise;
  }

  async cancel(): Promise<void> {
    this.#say(`cancels ${this.input.message} on its way`);
  }

  accepts(id: number): void {
    this.startEventId = String(id);
    this.put(startOf(this.id, this.input.message ?? ""));
  }

  refuses(error: Error): void {
    this.#end.reject(error);
    this.put(error);
  }

  /** As where its client is closed: without an error of its own. */
  closes(): void {
    this.#end.reject(errorOf("CLOSED"));
    this.put(undefined);
  }

  ends(): void {
    this.#end.resolve(endOf(this.id, "completed"));
    this.put(endOf(this.id, "completed"));
    this.put(undefined);
  }
}

const at = "2026-01-01T00:00:00.000Z";
export const startOf = (runId: string, message: string) =>
  ({ type: "runStart", runId, at, userId: "ann", message }) as ChatEvent;
export const tokenOf = (runId: string, text: string): ChatEvent => ({
  type: "token",
  runId,
  spanId: `${runId} model`,
  text,
});
export const endOf = (runId: string, status: "completed" | "cancelled", text = "") =>
  ({ type: "runEnd", runId, at, status, text }) as ChatEvent;

/** A question and its answer, as the history has them. */
export const exchange = (runId: string, message: string, text: string): Message[] =>
  [
    { runId, role: "human", userId: "ann", text: message, at },
    { runId, role: "ai", text, at, status: "completed" },
  ] as Message[];

type Page = { readonly items: readonly Message[]; readonly nextCursor?: string };

/** Waits are half of their bound: 250 ms, 500, 1000 and so on. */
export function scriptedChat(options: { readonly initialMessages?: readonly Message[] } = {}) {
  const { transcript, say } = scriptedTime();
  const watches: ScriptedWatch[] = [];
  const runs: ScriptedRun[] = [];
  const reads: PromiseWithResolvers<Page>[] = [];
  const cancels: PromiseWithResolvers<unknown>[] = [];
  const traces: { readonly feed: Feed; readonly signal: AbortSignal | undefined }[] = [];
  const asked = <T>(all: PromiseWithResolvers<T>[], line: string): Promise<T> => {
    say(line);
    const answer = Promise.withResolvers<T>();
    all.push(answer);
    return answer.promise;
  };
  const client = {
    watch: ({ lastEventId }: { lastEventId?: string }, { signal }: { signal: AbortSignal }) => {
      say(`watches behind ${lastEventId ?? "nothing"}`);
      const watch = new ScriptedWatch(lastEventId);
      watches.push(watch);
      signal.addEventListener("abort", () => {
        say("stops watching");
        watch.put(undefined);
      });
      return watch;
    },
    send: (input: SentInput) => {
      say(`sends ${input.message ?? `the input ${JSON.stringify(input.input)}`}`);
      const run = new ScriptedRun(input, say);
      runs.push(run);
      return run;
    },
    conversations: {
      messages: ({ cursor }: { cursor?: string }) =>
        asked(reads, `reads ${cursor ?? "the newest"}`),
    },
    cancel: (runId: string) => asked(cancels, `cancels ${runId}`),
    follow: ({ runId }: { runId: string }, { signal }: { signal?: AbortSignal } = {}) => {
      say(`follows ${runId}`);
      const feed = new Feed();
      traces.push({ feed, signal });
      return feed;
    },
  };
  const chat = new Chat({
    ...{ client: () => client as never, botId: "bot", conversationId: "c" },
    ...options,
  });
  /** As it is drawn: the status, the messages, what is wrong. */
  const seen = (): string => {
    const { status, messages, error } = chat.getState();
    const texts = messages.map(({ role, text, status }) => `${role} ${status}: ${text}`);
    return [`<${status}>`, ...texts, ...(error === undefined ? [] : [`(${error.code})`])].join(
      " | ",
    );
  };
  const newest = <T>(all: readonly T[]): T => {
    const last = all.at(-1);
    if (last === undefined) throw new Error("nothing was asked");
    return last;
  };
  return {
    ...{ chat, seen, transcript, watches, runs, reads, cancels, traces },
    get watch() {
      return newest(watches);
    },
    get run() {
      return newest(runs);
    },
    get read() {
      return newest(reads);
    },
  };
}

export const quiet = () => {};

/** Changes are drawn in the next frame. */
export const drawn = () => wait(20);

/** A chat that somebody looks at. */
export function openedChat(options: Parameters<typeof scriptedChat>[0] = {}) {
  const setting = scriptedChat(options);
  return Object.assign(setting, { leave: setting.chat.subscribe(quiet) });
}
