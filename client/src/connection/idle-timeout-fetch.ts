/**
 * A fetch with an idle timeout: a server that takes a request and says nothing, or stops in the middle of its
 * answer, fails it. Who asked decides whether to ask again.
 */

import type { httpBatchLink } from "@trpc/client";

export interface FetchHostOptions {
  /** Idle timeout of a question until its answer begins. */
  readonly connectTimeoutMs: number;
  /** Idle timeout of an answer, and of what changes something: that may take its time. */
  readonly silenceMs: number;
}

/** The fetch that tRPC's links take. */
type Fetch = NonNullable<Parameters<typeof httpBatchLink>[0]["fetch"]>;

interface Request {
  readonly isQuestion: boolean;
  heardAtMs: number;
  readonly fail: (why: string) => void;
}

/** After a sleep, a question that has heard nothing for longer than this is asked again. */
const wokenSilenceMs = 5_000;
const maxFactor = 16;

/** What the requests of one client share. */
export class FetchHost {
  readonly #options: FetchHostOptions;
  readonly #requests = new Set<Request>();
  /** Multiplies the first idle timeout, until there is an answer: a slow link looks like a dead one. */
  #factor = 1;

  constructor(options: FetchHostOptions) {
    this.#options = options;
  }

  /** Fails the questions that were asked before a sleep. */
  wake(): void {
    for (const { isQuestion, heardAtMs, fail } of [...this.#requests]) {
      if (isQuestion && performance.now() - heardAtMs > wokenSilenceMs) fail("asleep");
    }
  }

  close(): void {
    for (const { fail } of [...this.#requests]) fail("closed");
  }

  readonly fetch: Fetch = async (input, init = {}) => {
    const { connectTimeoutMs, silenceMs } = this.#options;
    const { method, signal } = init;
    const isQuestion = method === "GET";
    const stop = new AbortController();
    const abort = () => stop.abort(signal?.reason);
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const fail = (why: string) => stop.abort(new Error(`No answer came: ${why}.`));
    const request: Request = { isQuestion, heardAtMs: performance.now(), fail };
    const wait = (waitMs: number) => {
      request.heardAtMs = performance.now();
      clearTimeout(timer);
      timer = setTimeout(() => {
        this.#factor = Math.min(maxFactor, this.#factor * 2);
        fail(`silent for ${waitMs} ms`);
      }, waitMs);
    };
    this.#requests.add(request);
    wait(isQuestion ? Math.min(silenceMs, connectTimeoutMs * this.#factor) : silenceMs);
    try {
      const response = await fetch(input, { ...init, signal: stop.signal } as RequestInit);
      this.#factor = 1;
      wait(silenceMs);
      const text = await textOf(response, () => wait(silenceMs));
      const { status, headers } = response;
      return new Response(text === "" ? null : text, { status, headers });
    } finally {
      clearTimeout(timer);
      this.#requests.delete(request);
      signal?.removeEventListener("abort", abort);
    }
  };
}

/** The whole body. @param heard called for each part, where the platform shows parts */
async function textOf(response: Response, heard: () => void): Promise<string> {
  if (response.body === null || response.body === undefined) return await response.text();
  const decoder = new TextDecoder();
  const reader = response.body.getReader();
  for (let text = ""; ; heard()) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    text += decoder.decode(value, { stream: true });
  }
}
