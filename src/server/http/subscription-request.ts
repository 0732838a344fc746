/** Reads and checks requests for server-sent events. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { LangwireError } from "../../protocol/errors.ts";

/** Where to resume: the header first, since an EventSource that reconnects repeats its first URL. */
export function lastEventIdOf({ headers, url }: FastifyRequest): string | undefined {
  const header = headers["last-event-id"];
  if (typeof header === "string" && header !== "") return header;
  return searchOf(url)?.get("lastEventId") ?? undefined;
}

export function searchOf(url: string): URLSearchParams | undefined {
  return URL.parse(url, "http://host")?.searchParams;
}

/** Whether the request is one of an EventSource, or says that it wants what one wants. */
export function acceptsEvents({
  headers: { accept = "" },
}: Pick<FastifyRequest, "headers">): boolean {
  return /(^|[\s,])text\/event-stream\s*($|[,;])/i.test(accept);
}

/**
 * A plain GET may be an image, a link's preview, a page that is opened ahead: it starts nothing.
 * @throws LangwireError BAD_INPUT
 */
export function checkSubscribes(request: FastifyRequest, { raw }: FastifyReply): void {
  const { "sec-fetch-mode": mode, "sec-fetch-dest": dest } = request.headers;
  if (!acceptsEvents(request)) {
    const message = "Over HTTP a subscription is asked for with Accept: text/event-stream.";
    throw new LangwireError("BAD_INPUT", { message });
  }
  if (mode === "navigate" || mode === "no-cors" || (dest !== undefined && dest !== "empty")) {
    const message = "Only a script of a page may subscribe.";
    throw new LangwireError("BAD_INPUT", { message });
  }
  // A pipelined request has no socket to pace by until the response before it has ended.
  if (raw.socket === null) {
    const message = "A subscription is not asked for before another answer has come.";
    throw new LangwireError("BAD_INPUT", { message });
  }
}
