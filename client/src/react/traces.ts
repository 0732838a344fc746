/** What happened inside runs that were over before a chat was opened: read when somebody asks for it. */
import { RunFold, type Span } from "../../generated/fold/run-fold.js";
import type { ChatEvent } from "../types.ts";

export interface TracesOptions {
  /** All events of a run. */
  readonly follow: (runId: string) => AsyncIterable<ChatEvent>;
  readonly onLoaded: (runId: string, spans: readonly Span[]) => void;
}

export class Traces {
  readonly #options: TracesOptions;
  readonly #loads = new Map<string, Promise<void>>();

  constructor(options: TracesOptions) {
    this.#options = options;
  }

  /** Twice is once; one that failed may be asked for again. */
  load(runId: string): Promise<void> {
    const loading = this.#loads.get(runId) ?? this.#load(runId);
    this.#loads.set(runId, loading);
    loading.catch(() => this.#loads.delete(runId));
    return loading;
  }

  async #load(runId: string): Promise<void> {
    const { follow, onLoaded } = this.#options;
    const fold = new RunFold();
    for await (const event of follow(runId)) fold.add(event);
    onLoaded(runId, fold.spans);
  }
}
