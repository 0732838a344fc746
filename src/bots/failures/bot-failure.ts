/** Something of a bot's that failed: one of its spans, which the run may survive, or the run itself. */
import type { LangwireError } from "../../protocol/errors.ts";
import type { ErrorSource } from "../provider/provider-errors.ts";

export interface BotFailure {
  /** The same one wherever the same error surfaces; its `cause` is what was thrown, if anything was. */
  readonly error: LangwireError;
  /** Absent where the run failed. */
  readonly span?: {
    readonly id: string;
    readonly source: ErrorSource;
    readonly name: string;
  };
}
