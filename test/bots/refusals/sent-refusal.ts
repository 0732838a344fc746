/** Refusals as providers word them: of servers that speak OpenAI's protocol, and of other packages. */
import type { ErrorCode } from "../../../src/protocol/errors.ts";

export interface SentRefusal {
  readonly from: string;
  readonly code: ErrorCode;
  /** 200 where the error stands inside of an answer that began as a good one. */
  readonly status: number;
  readonly body: object | string;
}

export const openai = (message: string, more: object = {}) => ({ error: { message, ...more } });
export const bare = (message: string, more: object = {}) => ({ object: "error", message, ...more });
export const invalid = { type: "invalid_request_error" };

export const sent = (
  code: ErrorCode,
  rows: readonly [string, number, object | string][],
): SentRefusal[] => rows.map(([from, status, body]) => ({ from, code, status, body }));
