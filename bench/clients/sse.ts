/** Requests that are answered with server-sent events, over a connection that stays open. */
import { Agent, type IncomingMessage, request } from "node:http";

type OnEvent = (data: string, event: string) => void;

interface Asked {
  readonly url: string;
  readonly method: "GET" | "POST";
  readonly body: string;
}

export class SsePoster {
  readonly #agent = new Agent({ keepAlive: true });
  readonly #responses = new Set<IncomingMessage>();
  #paused = false;

  /** @returns settles when the response is complete */
  post(url: string, body: unknown, onEvent: OnEvent): Promise<void> {
    return this.#ask({ url, method: "POST", body: JSON.stringify(body) }, onEvent);
  }

  /** @returns settles when the response is complete */
  get(url: string, onEvent: OnEvent): Promise<void> {
    return this.#ask({ url, method: "GET", body: "" }, onEvent);
  }

  #ask({ url, method, body }: Asked, onEvent: OnEvent): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const headers = { "content-type": "application/json" };
    const sent = request(url, { method, agent: this.#agent, headers }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`status ${response.statusCode}`));
      this.#responses.add(response);
      if (this.#paused) response.pause();
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (piece: string) => {
        text += piece.includes("\r") ? piece.replaceAll("\r", "") : piece;
        const complete = text.lastIndexOf("\n\n");
        if (complete === -1) return;
        for (const record of text.slice(0, complete).split("\n\n")) readEvent(record, onEvent);
        text = text.slice(complete + 2);
      });
      response.on("end", resolve);
      response.on("error", reject);
      response.on("close", () => this.#responses.delete(response));
    });
    sent.on("error", reject);
    sent.end(body);
    return promise;
  }

  pause(): void {
    this.#paused = true;
    for (const response of this.#responses) response.pause();
  }

  resume(): void {
    this.#paused = false;
    for (const response of this.#responses) response.resume();
  }

  close(): void {
    this.#agent.destroy();
  }
}

function readEvent(record: string, onEvent: OnEvent): void {
  let event = "";
  let data: string | undefined;
  for (const line of record.split("\n")) {
    if (line.startsWith("data:")) data = line.slice(line[5] === " " ? 6 : 5);
    else if (line.startsWith("event:")) event = line.slice(6).trim();
  }
  if (data !== undefined) onEvent(data, event);
}
