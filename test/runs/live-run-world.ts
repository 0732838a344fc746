/** One run with a real bot, between a log, a store and other runs that the test plays. */
import { AIMessageChunk } from "@langchain/core/messages";
import { ChatGenerationChunk } from "@langchain/core/outputs";
import type { Bot } from "../../src/bots/bot.ts";
import type { RunWriter } from "../../src/log/log.ts";
import type { ChatEvent } from "../../src/protocol/events.ts";
import { LiveBytes } from "../../src/runs/admission/live-bytes.ts";
import { type EndInLog, LiveRun, type LiveRunOptions } from "../../src/runs/lifecycle/live-run.ts";
import { defaultRunLimits } from "../../src/runs/limits.ts";
import type { RunEnding } from "../../src/runs/run-events.ts";
import type { Run } from "../../src/store/store.ts";
import { ScriptedModel } from "../../src/testing/scripted-model.ts";

export const limits = { ...defaultRunLimits, maxRunBytes: 2_000, maxRunEvents: 5 };
const maxLiveBytes = 100_000;
export const firstSeq = 11;
const run = { runId: "r", conversationId: "c", userId: "ann", message: "hello", firstSeq } as Run;

type Stream = Parameters<ScriptedModel["_streamResponseChunks"]>;
type Saying = { readonly text: string | Error | undefined; readonly said: () => void };

/** Says what it is told to, whether or not it was stopped meanwhile. */
export class ToldModel extends ScriptedModel {
  readonly #told: Saying[] = [];
  #more = Promise.withResolvers<void>();

  constructor() {
    super(() => ({}));
  }

  /** @param text an error: it fails; undefined: it is done. Settles once that is so. */
  say(text: string | Error | undefined): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#told.push({ text, said: resolve });
    this.#more.resolve();
    return promise;
  }

  override async *_streamResponseChunks(
    ...[, , runManager]: Stream
  ): AsyncGenerator<ChatGenerationChunk> {
    for (;;) {
      const next = this.#told.shift();
      if (next === undefined) {
        this.#more = Promise.withResolvers();
        await this.#more.promise;
        continue;
      }
      const { text, said } = next;
      if (typeof text !== "string") {
        said();
        if (text === undefined) return;
        throw text;
      }
      await runManager?.handleLLMNewToken(text);
      said();
      yield new ChatGenerationChunk({ text, message: new AIMessageChunk(text) });
    }
  }
}

export class World {
  readonly written: ChatEvent[] = [];
  readonly closings: (boolean | undefined)[] = [];
  /** What happened to the run's end, in order. */
  readonly ends: string[] = [];
  readonly stored: { readonly ending: RunEnding; readonly endSeq: number }[] = [];
  /** Settles when the store is asked. */
  readonly decided = Promise.withResolvers<void>();
  readonly stores = Promise.withResolvers<Partial<RunEnding>>();
  readonly flushes = Promise.withResolvers<void>();
  readonly lost = new AbortController();
  readonly liveBytes = new LiveBytes(maxLiveBytes);
  readonly live: LiveRun;
  told: RunEnding | undefined;

  constructor(bot: Bot, options: Partial<LiveRunOptions> = {}) {
    const history = async () => [];
    const { liveBytes, lost } = this;
    const store = (ending: RunEnding, end: EndInLog) => this.#store(ending, end);
    const writer = this.#writerWith(lost.signal);
    const conversation = undefined;
    const facts = { run, conversation, bot, history, limits, writer, store, liveBytes };
    this.live = new LiveRun({ ...facts, ...options });
    void this.live.ended.then((ending) => {
      this.ends.push("told");
      this.told = ending;
    });
  }

  /** Whether other runs have all of the room for live bytes to themselves. */
  get isCounted(): boolean {
    let failed = false;
    const fail = () => {
      failed = true;
    };
    const other = { run: { userId: "eve" }, bytes: maxLiveBytes, fail };
    this.liveBytes.add(other);
    this.liveBytes.grew(other, other.bytes);
    return failed;
  }

  async #store(ending: RunEnding, { endSeq }: EndInLog): Promise<RunEnding> {
    this.ends.push("stored");
    this.decided.resolve();
    this.stored.push({ ending, endSeq });
    const { partsOf: _, ...known } = ending;
    return { ...known, ...(await this.stores.promise) };
  }

  #writerWith(lost: AbortSignal): RunWriter {
    const { written, closings, ends } = this;
    const flushed = () => this.flushes.promise;
    return {
      lost,
      get lastSeq() {
        return firstSeq - 1 + written.length;
      },
      append(event) {
        if (event.type === "runEnd") ends.push("appended");
        written.push(event);
        return JSON.stringify(event).length;
      },
      flushed,
      entries: () => [],
      close: (options) => closings.push(options?.archived),
      abandon: () => {},
    };
  }
}
