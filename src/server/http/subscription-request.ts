/** Reads and checks requests for server-sent events. */
import type { IncomingHttpHeaders } from "node:http";
import { TRPCError } from "@trpc/server";
import type { FastifyReply, FastifyRequest } from "fastify";
import { LangwireError } from "../../protocol/errors.ts";
import { reviveInput } from "../connections/call-input.ts";

/** Where to resume: the header first, since an EventSource that reconnects repeats its first URL. */
export function lastEventIdOf({
  headers,
  url,
}: Pick<FastifyRequest, "headers" | "url">): string | undefined {
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

/** The input in the URL, in superjson's form; `unacceptable` where it is no JSON. */
export function inputIn(search: URLSearchParams | undefined): unknown {
  const text = search?.get("input") ?? null;
  if (text === null) return undefined;
  try {
    return reviveInput(JSON.parse(text));
  } catch (cause) {
    throw new TRPCError({ code: "PARSE_ERROR", cause });
  }
}

/**
 * A plain GET may be an image, a link's preview, a page that is opened ahead: it starts nothing.
 * @throws LangwireError BAD_INPUT
 */
export function checkAsksForEvents(headers: IncomingHttpHeaders): void {
  const { "sec-fetch-mode": mode, "sec-fetch-dest": dest } = headers;
  if (!acceptsEvents({ headers })) {
    const message = "Over HTTP a subscription is asked for with Accept: text/event-stream.";
    throw new LangwireError("BAD_INPUT", { message });
  }
  if (mode === "navigate" || mode === "no-cors" || (dest !== undefined && dest !== "empty")) {
    const message = "Only a script of a page may subscribe.";
    throw new LangwireError("BAD_INPUT", { message });
  }
}

/** Why a subscription is not begun by a request that is none of an EventSource, or among others. */
export function notAlone(): LangwireError {
  const message = "A subscription is asked for alone, by GET.";
  return new LangwireError("BAD_INPUT", { message });
}

/** @throws LangwireError BAD_INPUT */
export function checkSubscribes({ headers }: FastifyRequest, { raw }: FastifyReply): void {
  checkAsksForEvents(headers);
  // A pipelined request has no socket to pace by until the response before it has ended.
  if (raw.socket === null) {
    const message = "A subscription is not asked for before another answer has come.";
    throw new LangwireError("BAD_INPUT", { message });
  }
}
