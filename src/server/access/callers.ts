/** Identifies callers. Without authentication, a caller is the user that it names. */
import { z } from "zod";
import { LangwireError } from "../../protocol/errors.ts";
import { protocolLimits } from "../../protocol/limits.ts";
import type { Caller } from "../../runs/caller.ts";

/** What a caller is authenticated by: connectionParams over WebSocket, headers over HTTP. */
export interface Credentials {
  readonly connectionParams: Readonly<Record<string, unknown>> | null;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** An authenticated caller, for as long as its token is valid. */
export interface Identity extends Caller {
  /** When the connection has to end, in milliseconds since 1970. Absent: never. */
  readonly expiresAtMs?: number;
}

/** @throws LangwireError UNAUTHORIZED; AUTH_UNAVAILABLE when a token cannot be verified at the moment */
export type Authenticate = (credentials: Credentials) => Identity | Promise<Identity>;

const defaultUserId = "local";
/** The header that names the caller over HTTP while no authentication is configured. */
const userIdHeader = "x-user-id";

const userId = z
  .string()
  .min(1)
  .max(protocolLimits.idLength)
  .regex(/^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]*$/u);

/** @throws LangwireError UNAUTHORIZED */
export function readUserId(value: unknown): string {
  const parsed = userId.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new LangwireError("UNAUTHORIZED", { message: "That is not a user's id." });
}

export const trustCallers: Authenticate = ({ connectionParams, headers }) => ({
  userId: readUserId(connectionParams?.userId ?? headers[userIdHeader] ?? defaultUserId),
});
