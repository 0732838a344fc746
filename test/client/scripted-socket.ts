/** A platform's WebSocket whose every event a test decides, under the socket that tRPC's client has. */
import { vi } from "vitest";
import { SocketHost } from "../../client/src/connection/heartbeat-socket.ts";
import { wait } from "./scripted-link.ts";
import { scriptedTime } from "./scripted-time.ts";

/** What the platform's events carry. */
interface Told {
  readonly data?: unknown;
  readonly code?: number;
}

export interface ScriptedSocket {
  /** The platform's socket. */
  readonly base: {
    is(type: "open" | "message" | "error" | "close", event?: Told): void;
    readonly binaryType: string;
  };
  /** The one that tRPC's client has. */
  readonly socket: WebSocket;
  readonly host: SocketHost;
  /** The time for an attempt has come. */
  due(): void;
  readonly transcript: readonly string[];
}

type Fault = "throws" | "has none" | "cannot terminate" | "cannot send";

export interface PlatformOptions {
  /** Whether it may open at once. Default: it may. */
  readonly isDue?: boolean;
  readonly platform?: Fault;
}

/** A platform's class of sockets, of which the test has the one that was made last. */
export interface ScriptedPlatform {
  readonly WebSocket: typeof WebSocket;
  readonly base: ScriptedSocket["base"];
}

/** @param say is told of each thing that is done with a socket */
export function scriptedPlatform(say: (line: string) => void, fault?: Fault): ScriptedPlatform {
  let made: Platform | undefined;
  class Platform {
    binaryType = "blob";
    readonly terminate = fault === "cannot terminate" ? undefined : () => say("terminates");
    readonly listeners = new Map<string, (event: Told) => void>();

    constructor(url: string) {
      say(`opens ${url}`);
      if (fault === "throws") throw new TypeError("broken");
      made = this;
    }

    addEventListener(type: string, listener: (event: Told) => void): void {
      this.listeners.set(type, listener);
    }

    send(data: string): void {
      say(`sends ${data}`);
      if (fault === "cannot send") throw new Error("closing");
    }

    close(code = "", reason = ""): void {
      say(`closes ${code} ${reason}`);
    }
  }
  return {
    WebSocket: Platform as never,
    base: {
      is: (type, event = {}) => {
        const listener = made?.listeners.get(type);
        // As the package `ws` does.
        if (type === "error" && listener === undefined)
          throw new Error("an error without a listener");
        listener?.(event);
      },
      get binaryType() {
        return made?.binaryType ?? "";
      },
    },
  };
}

/** What happens becomes a transcript, each line with its millisecond. */
export async function scriptedSocket(options: PlatformOptions = {}): Promise<ScriptedSocket> {
  const { isDue = true, platform } = options;
  const { transcript, say } = scriptedTime();
  vi.stubGlobal("WebSocket", undefined);
  const { WebSocket, base } = scriptedPlatform(say, platform);
  const due = Promise.withResolvers<void>();
  const host = new SocketHost({
    WebSocket: platform === "has none" ? undefined : WebSocket,
    untilDue: () => (isDue ? undefined : due.promise),
    onFailed: (cause) => say(`failed ${cause instanceof Error ? cause.message : ""}`.trim()),
    ...{ connectTimeoutMs: 1_000, pingAfterMs: 5_000, pongTimeoutMs: 2_000 },
  });
  const socket = new host.WebSocket("ws://x");
  for (const type of ["open", "message", "error", "close"] as const) {
    socket.addEventListener(type, (event) => {
      const { data, code } = event as unknown as Told;
      say(`tells ${[type, data, code].filter((it) => it !== undefined).join(" ")}`);
    });
  }
  await wait(0);
  return { base, socket, host, due: due.resolve, transcript };
}
