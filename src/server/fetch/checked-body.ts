/** A request whose body is read, up to a limit, before anything else looks at it. */
import { TRPCError } from "@trpc/server";
import { LangwireError } from "../../protocol/errors.ts";
import type { ConnectionLimits } from "../connections/connection-limits.ts";
import { isTooComplex, scanJson } from "../connections/frames/json-scan.ts";

type Limits = Pick<ConnectionLimits, "maxFrameBytes" | "maxMessagesPerFrame">;

/** @throws TRPCError or LangwireError where it is no JSON, too long, or too much to parse */
export async function checkedBody(request: Request, limits: Limits): Promise<Request> {
  if (request.method !== "POST") return request;
  if (!/^application\/json\s*(;|$)/i.test(request.headers.get("content-type") ?? "")) {
    throw refused("UNSUPPORTED_MEDIA_TYPE", "The input has to be JSON.");
  }
  const body = await textWithin(request.body, limits.maxFrameBytes);
  if (isTooComplex(scanJson(body), limits.maxMessagesPerFrame)) {
    throw new LangwireError("BAD_INPUT", { message: "The input has too many values." });
  }
  const { method, headers, signal } = request;
  return new Request(request.url, { method, headers, signal, body });
}

async function textWithin(
  body: ReadableStream<Uint8Array> | null,
  maxBytes: number,
): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw refused("PAYLOAD_TOO_LARGE", "The request is too long.");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function refused(code: "UNSUPPORTED_MEDIA_TYPE" | "PAYLOAD_TOO_LARGE", message: string): TRPCError {
  return new TRPCError({ code, message, cause: new LangwireError("BAD_INPUT", { message }) });
}
