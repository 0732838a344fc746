/** Why the server closes a WebSocket. A client connects again and resumes after each of them. */
import { type ErrorCode, errorTable } from "../../protocol/errors.ts";

export const closeCodes = {
  /** The server is going down or restarting (RFC 6455's own code). */
  serviceRestart: 1012,
  /**
   * Tokens cannot be verified at the moment, or another process can serve and this one cannot (IANA's
   * code for "try again later").
   */
  tryAgainLater: 1013,
  /** No connection parameters came in time, or what came was something else. */
  unidentified: 4400,
  /** The token is not valid, or no longer. */
  unauthorized: 4401,
  /** The socket took nothing for too long. */
  slowReader: 4408,
  /** The caller has too many sockets, or sent too much at once. */
  tooMany: 4429,
} as const;

/** How a socket closes whose caller could not be identified. */
export function closeCodeOf(code: ErrorCode): number {
  switch (code) {
    case "BAD_INPUT":
      return closeCodes.unidentified;
    case "RATE_LIMITED":
      return closeCodes.tooMany;
    default:
      // An application that cannot say who is calling now says so by any code that may pass.
      return errorTable[code].retryable ? closeCodes.tryAgainLater : closeCodes.unauthorized;
  }
}
