/** A server whose every frame a test decides, for what a real one says only on its worst days. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { createClient, type LangwireClient } from "../../client/src/index.ts";

/** One subscription, as it came. */
export interface Asked {
  readonly path: string;
  readonly input: { readonly lastEventId?: string };
  /** When, on the clock of `performance.now`. */
  readonly atMs: number;
  event(id: number, event: object): void;
  refuse(error: { code: string; retryable: boolean; retryAfterMs?: number }): void;
  stopped(): void;
  /** Any frame, as it is. */
  raw(frame: string): void;
  /** Breaks the socket without a goodbye. */
  cut(): void;
}

export interface ScriptedServer {
  readonly client: LangwireClient;
  /** Every subscription so far. */
  readonly asked: readonly Asked[];
  /** Ids of subscriptions that the client has stopped. */
  readonly stops: readonly number[];
}

interface Frame {
  readonly id: number;
  readonly method: string;
  readonly params: { path: string; input: { json: Asked["input"] }; lastEventId?: string };
}

/** @param answer called for each subscription, the first one with 0 */
export async function startScriptedServer(
  answer: (asked: Asked, attempt: number) => void,
): Promise<ScriptedServer> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  const asked: Asked[] = [];
  const stops: number[] = [];
  server.on("connection", (socket) => {
    socket.on("error", () => {});
    socket.on("message", (data) => {
      const text = String(data);
      if (text === "PING") return socket.send("PONG");
      const parsed = JSON.parse(text) as Frame | Frame[];
      for (const frame of Array.isArray(parsed) ? parsed : [parsed]) {
        if (frame.method === "subscription.stop") stops.push(frame.id);
        if (frame.method !== "subscription") continue;
        const one = askedBy(socket, frame);
        answer(one, asked.push(one) - 1);
      }
    });
  });
  const client = createClient({
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    backoff: { baseMs: 1, maxMs: 1_000_000 },
  });
  onTestFinished(async () => {
    await client.close();
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  return { client, asked, stops };
}

function askedBy(socket: WebSocket, { id, params }: Frame): Asked {
  const send = (frame: object) => socket.send(JSON.stringify({ id, ...frame }));
  const lastEventId = params.lastEventId ?? params.input.json.lastEventId;
  let started = false;
  const begin = () => {
    if (!started) send({ result: { type: "started" } });
    started = true;
  };
  return {
    path: params.path,
    input: { ...params.input.json, ...(lastEventId === undefined ? {} : { lastEventId }) },
    atMs: performance.now(),
    event: (seq, event) => {
      begin();
      const json = { id: String(seq), data: event };
      send({ result: { type: "data", id: String(seq), data: { json } } });
    },
    refuse: (langwire) => {
      send({ error: { json: { message: "No.", code: -32_000, data: { langwire } } } });
    },
    stopped: () => send({ result: { type: "stopped" } }),
    raw: (frame) => socket.send(frame),
    cut: () => socket.terminate(),
  };
}
