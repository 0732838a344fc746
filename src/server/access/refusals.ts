/** Sends errors that did not come through tRPC in the same form as tRPC's. */
import type { Socket } from "node:net";
import {
  type AnyTRPCRouter,
  getTRPCErrorFromUnknown,
  type TRPC_ERROR_CODE_KEY,
  TRPCError,
} from "@trpc/server";
import { getHTTPStatusCodeFromError } from "@trpc/server/http";
import type { FastifyInstance, FastifyReply } from "fastify";
import { toLangwireError, toTrpcError } from "../../api/errors.ts";
import { describeThrown } from "../../bots/failures/thrown.ts";
import { type ErrorCode, LangwireError } from "../../protocol/errors.ts";
import { usedUp } from "../../runs/admission/used-up.ts";
import { errorBody } from "../trpc-internals.ts";
import { noRouteMessage } from "./no-route.ts";

export class Refusals {
  readonly #router: AnyTRPCRouter;
  /** Cached texts of errors: one frame may have a thousand requests to refuse. */
  readonly #bodies = new WeakMap<LangwireError, string>();

  constructor(router: AnyTRPCRouter) {
    this.#router = router;
  }

  /** The error as a frame of a WebSocket. @param head the beginning of the call's frames */
  frame(head: string, error: LangwireError): string {
    const body = this.#bodies.get(error) ?? this.#body(toTrpcError(error));
    this.#bodies.set(error, body);
    return head + body.slice(1);
  }

  /** The same for what a call has thrown. */
  failureFrame(head: string, error: TRPCError): string {
    return head + this.#body(error).slice(1);
  }

  /**
   * The error as an answer over HTTP.
   * @param code tRPC's, where it says more than ours does
   */
  send(reply: FastifyReply, error: LangwireError, code?: TRPC_ERROR_CODE_KEY): FastifyReply {
    const { message } = error;
    const sent =
      code === undefined ? toTrpcError(error) : new TRPCError({ code, message, cause: error });
    const status = getHTTPStatusCodeFromError(sent);
    if (status === 401) reply.header("www-authenticate", "Bearer");
    reply.headers(retryHeaders(error));
    return reply.status(status).type("application/json; charset=utf-8").send(this.#body(sent));
  }

  /** Makes Fastify's own refusals look the same: no route, a body that is too large, and failures. */
  handle(app: FastifyInstance): void {
    app.setNotFoundHandler((_request, reply) => {
      return this.send(reply, new LangwireError("NOT_FOUND", { message: noRouteMessage }));
    });
    app.setErrorHandler((cause, _request, reply) => this.sendFor(reply, cause));
  }

  /** Whatever was thrown, as an answer over HTTP. */
  sendFor(reply: FastifyReply, cause: unknown): FastifyReply {
    const { error, code } = translated(cause);
    if (error.code === "INTERNAL") {
      reply.log.error({ detail: describeThrown(cause), err: cause }, "request failed");
    }
    return this.send(reply, error, code);
  }

  /** For a connection that sends no HTTP, or sends its request too slowly. */
  sendRaw({ code }: { code?: string }, socket: Socket): void {
    if (!socket.writable || code === "ECONNRESET") {
      socket.destroy();
      return;
    }
    const status = statusByParserError[code ?? ""] ?? "400 Bad Request";
    this.#endRaw(socket, status, new LangwireError("BAD_INPUT"));
  }

  /** For a connection past a limit, before its request is read. */
  sendLimitReached(socket: Socket, why: "address" | "all", maxPerAddress: number): void {
    const what = "connections from one address";
    const [status, error] =
      why === "all"
        ? (["503 Service Unavailable", serverFull] as const)
        : (["429 Too Many Requests", usedUp({ what, max: maxPerAddress }, retryAfterMs)] as const);
    this.#endRaw(socket, status, error);
  }

  /** Answers, and destroys the socket even where its client does not read the answer. */
  #endRaw(socket: Socket, status: string, error: LangwireError): void {
    const body = this.#body(toTrpcError(error));
    const head = `connection: close\r\ncontent-type: application/json; charset=utf-8`;
    const length = `content-length: ${Buffer.byteLength(body)}`;
    socket.end(`HTTP/1.1 ${status}\r\n${head}\r\n${length}\r\n\r\n${body}`);
    socket.destroySoon();
    const timer = setTimeout(() => socket.destroy(), refusalTimeoutMs);
    socket.once("close", () => clearTimeout(timer));
  }

  #body(error: TRPCError): string {
    return errorBody(this.#router, error);
  }
}

/** The `retry-after` header of an error. */
export function retryHeaders({ retryAfterMs }: LangwireError): Record<string, string> {
  if (retryAfterMs === undefined) return {};
  return { "retry-after": String(Math.ceil(retryAfterMs / 1_000)) };
}

/** How long a client may take to read a refusal. */
const refusalTimeoutMs = 1_000;
const retryAfterMs = 5_000;
const serverFull = new LangwireError("OVERLOADED", {
  message: "The server has as many connections as it can.",
  retryAfterMs,
});

const statusByParserError: Readonly<Record<string, string>> = {
  ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
};

const codesByStatus: Readonly<Record<number, readonly [ErrorCode, TRPC_ERROR_CODE_KEY]>> = {
  404: ["NOT_FOUND", "NOT_FOUND"],
  405: ["BAD_INPUT", "METHOD_NOT_SUPPORTED"],
  413: ["BAD_INPUT", "PAYLOAD_TOO_LARGE"],
  415: ["BAD_INPUT", "UNSUPPORTED_MEDIA_TYPE"],
};

/** Fastify's own errors carry a status; what does not is a failure of ours. */
function translated(cause: unknown): { error: LangwireError; code?: TRPC_ERROR_CODE_KEY } {
  if (cause instanceof LangwireError) return { error: cause };
  const status = cause instanceof Error && "statusCode" in cause ? Number(cause.statusCode) : 500;
  if (!(status >= 400 && status < 500)) {
    return { error: toLangwireError(getTRPCErrorFromUnknown(cause)) };
  }
  const [own, code] = codesByStatus[status] ?? (["BAD_INPUT", "BAD_REQUEST"] as const);
  return { error: new LangwireError(own, { cause }), code };
}
