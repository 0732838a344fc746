/** The ways to a procedure: a socket, a request with a header, one with the token in its address, a batch. */
import { randomUUID } from "node:crypto";
import { codeOf, openSocket, request } from "../socket.ts";

export interface Addresses {
  readonly url: string;
  readonly httpUrl: string;
}

export type ProcedureType = "query" | "mutation" | "subscription";

export interface Call {
  readonly path: string;
  readonly type: ProcedureType;
  readonly input: object | undefined;
  /** Absent: nobody says who they are. */
  readonly token: string | undefined;
  /** A subscription is read until it has shown this, or been refused, or is over. */
  readonly shows: string;
}

export interface Reply {
  /** Ours; undefined where it was no refusal. */
  readonly code: string | undefined;
  /** Everything that came, as it came. */
  readonly text: string;
}

export type Face = (server: Addresses, call: Call) => Promise<Reply>;

export const faces: Readonly<Record<string, Face>> = {
  "over a WebSocket": async ({ url }, { path, type, input, token, shows }) => {
    using socket = await openSocket(`${url}?connectionParams=1`);
    socket.send({ method: "connectionParams", data: token === undefined ? null : { token } });
    socket.send(request(1, path, input, type));
    const text = () => JSON.stringify(socket.frames);
    const isLast = () =>
      socket.frames.some(
        ({ error, result }) => error !== undefined || (result && type !== "subscription"),
      ) || text().includes(shows);
    await socket.frame(isLast);
    const refused = socket.frames.find(({ error }) => error !== undefined);
    return { code: refused && codeOf(refused), text: text() };
  },

  "over HTTP": (server, call) => overHttp(server, call, "header"),

  "over HTTP, with the token in the address": (server, call) => overHttp(server, call, "address"),

  "over HTTP, in a batch": async ({ httpUrl }, { path, type, input, token }) => {
    // Beside it, a call that changes nothing: a batch is of queries alone, or of mutations alone.
    const beside = type === "mutation" ? "chat.cancel" : "bots.list";
    const inputs = {
      ...(type === "mutation" && { 0: { json: { runId: randomUUID() } } }),
      ...(input !== undefined && { 1: { json: input } }),
    };
    const headers = { "content-type": "application/json", ...bearer(token) };
    const url = `${httpUrl}/${beside},${path}?batch=1`;
    const response =
      type === "mutation"
        ? await fetch(url, { method: "POST", headers, body: JSON.stringify(inputs) })
        : await fetch(`${url}&input=${encodeURIComponent(JSON.stringify(inputs))}`, { headers });
    const text = await response.text();
    const body: unknown = JSON.parse(text);
    return { code: codeIn(Array.isArray(body) ? body[1] : body), text };
  },
};

async function overHttp(
  { httpUrl }: Addresses,
  { path, type, input, token, shows }: Call,
  where: "header" | "address",
): Promise<Reply> {
  const url = new URL(`${httpUrl}/${path}`);
  if (where === "address") {
    url.searchParams.set("connectionParams", JSON.stringify(token === undefined ? {} : { token }));
  }
  const json = input === undefined ? undefined : JSON.stringify({ json: input });
  if (json !== undefined && type !== "mutation") url.searchParams.set("input", json);
  const left = new AbortController();
  const response = await fetch(url, {
    method: type === "mutation" ? "POST" : "GET",
    headers: {
      ...(type === "mutation" && { "content-type": "application/json" }),
      ...(type === "subscription" && { accept: "text/event-stream" }),
      ...(where === "header" && bearer(token)),
    },
    ...(type === "mutation" && json !== undefined && { body: json }),
    signal: left.signal,
  });
  if (response.headers.get("content-type")?.includes("text/event-stream") !== true) {
    const text = await response.text();
    return { code: codeIn(JSON.parse(text)), text };
  }
  let text = "";
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    if (text.includes(shows)) break;
  }
  left.abort();
  const refusal = /event: serialized-error\ndata: (.*)\n/.exec(text)?.[1];
  const error: unknown = refusal === undefined ? undefined : JSON.parse(refusal);
  return { code: error === undefined ? undefined : codeIn({ error }), text };
}

function bearer(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

interface Body {
  readonly error?: { readonly json: { readonly data: { readonly langwire: { code: string } } } };
}

function codeIn(body: unknown): string | undefined {
  return (body as Body).error?.json.data.langwire.code;
}
