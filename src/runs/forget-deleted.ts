/** Has the log forget a deleted conversation, in the background. */
import type { EventLog } from "../log/log.ts";
import type { RunObserver } from "./observer.ts";

export interface ForgetOptions {
  readonly log: Pick<EventLog, "forget">;
  readonly observer: RunObserver;
}

export function forgetDeleted(conversationId: string, { log, observer }: ForgetOptions): void {
  log.forget([{ conversationId }]).catch((cause: unknown) => {
    observer.failed?.("events of a deleted conversation stay until their retention time", cause);
  });
}
