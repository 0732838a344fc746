/** An EventSource with an idle timeout: the server sends pings, so one that gets nothing is dead. */
import { LangwireClientError } from "../errors.ts";
import { type EventSourceConstructor, startOf } from "./transport.ts";

/** What is needed of an EventSource, declared so that a class can override it. */
interface Stream {
  readonly readyState: number;
  readonly CLOSED: number;
  addEventListener(type: string, listener: (event: never) => void): void;
  close(): void;
}

interface MessageEvent {
  readonly data: string;
  readonly lastEventId: string;
}

type Args = ConstructorParameters<EventSourceConstructor>;

export interface StreamHostOptions {
  readonly EventSource: EventSourceConstructor;
  /** Idle timeout until the server has answered. */
  readonly connectTimeoutMs: number;
  /** Idle timeout after that. */
  readonly silenceMs: number;
}

/** After a sleep, a stream that has received nothing for longer than this is reopened. */
const wokenSilenceMs = 5_000;
/** Of a request's line and headers, 16 KiB in all, a server takes no more; many proxies take 8. */
const maxUrlLength = 14_000;
const anyProxyUrlLength = 4_000;
const maxFactor = 16;
const signsOfLife = ["open", "message", "connected", "ping", "serialized-error", "return"];

export function tooLongError(): LangwireClientError {
  const message =
    "The message is too long for server-sent events, where it is part of the address.";
  return new LangwireClientError({ code: "BAD_INPUT", message });
}

/** What the streams of one client share. */
export class StreamHost {
  readonly options: StreamHostOptions;
  readonly streams = new Set<{ wake(): void }>();
  /**
   * Multiplies the idle timeout. A browser shows nothing of a long event on a slow link before all of it
   * is there, which looks like a dead stream: so each timeout is longer, until an event comes.
   */
  factor = 1;
  /** The address of a stream that has not opened, where it may be too long for what is in between. */
  longUrl: string | undefined;

  constructor(options: StreamHostOptions) {
    this.options = options;
  }

  wake(): void {
    for (const stream of [...this.streams]) stream.wake();
  }

  /** The class of its streams. */
  get EventSource(): EventSourceConstructor {
    const host = this;
    const { EventSource, connectTimeoutMs, silenceMs } = this.options;
    const Base = EventSource as unknown as new (...args: Args) => Stream;
    const IdleTimeoutEventSource = class extends Base {
      readonly #onError = new Set<(event: { type: "error" }) => void>();
      readonly #onMessage = new Set<(event: MessageEvent) => void>();
      #heardAtMs = performance.now();
      #timer: ReturnType<typeof setTimeout> | undefined;

      constructor(...args: Args) {
        const [url] = args;
        if (url.length > maxUrlLength) throw tooLongError();
        super(...args);
        host.streams.add(this);
        if (url.length > anyProxyUrlLength) host.longUrl = url;
        for (const type of signsOfLife) super.addEventListener(type, () => this.#heard(type));
        // It tries again by itself, or has closed.
        super.addEventListener("error", () => this.#wait(connectTimeoutMs));
        this.#wait(connectTimeoutMs);
      }

      override addEventListener(type: string, listener: (event: never) => void): void {
        if (type === "error") this.#onError.add(listener as never);
        if (type === "message") this.#onMessage.add(listener as never);
        if (type === "connected") super.addEventListener(type, this.#begun);
        super.addEventListener(type, listener);
      }

      override close(): void {
        clearTimeout(this.#timer);
        host.streams.delete(this);
        super.close();
      }

      wake(): void {
        if (performance.now() - this.#heardAtMs > wokenSilenceMs) this.#fail();
      }

      /** Where the stream begins comes first, as an event: one that cannot reconnect is replaced by another. */
      readonly #begun = ({ lastEventId }: MessageEvent) => {
        if (lastEventId === "") return;
        const data = JSON.stringify({ json: startOf(lastEventId).data });
        for (const listener of this.#onMessage) listener({ data, lastEventId });
      };

      #heard(type: string): void {
        if (type === "message") host.factor = 1;
        if (type === "open") host.longUrl = undefined;
        this.#heardAtMs = performance.now();
        this.#wait(silenceMs * host.factor);
      }

      #wait(waitMs: number): void {
        clearTimeout(this.#timer);
        if (this.readyState === this.CLOSED) return;
        this.#timer = setTimeout(() => {
          host.factor = Math.min(maxFactor, host.factor * 2);
          this.#fail();
        }, waitMs);
      }

      /** Behaves as if the server had closed for good, so that tRPC's link opens another one. */
      #fail(): void {
        this.close();
        for (const listener of this.#onError) listener({ type: "error" });
      }
    };
    return IdleTimeoutEventSource as unknown as EventSourceConstructor;
  }
}
