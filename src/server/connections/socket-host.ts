/** What a WebSocket needs of the server around it. */
import type { Identity } from "../access/callers.ts";
import type { LongTexts } from "../pacing/long-texts.ts";
import type { PartialInput } from "../pacing/partial-input.ts";
import type { WorkQueue } from "../pacing/work-queue.ts";
import type { ConnectionLimits } from "./connection-limits.ts";
import type { SendingTurn } from "./frames/sending-turn.ts";
import type { SocketConnection } from "./socket-connection.ts";

/** What all sockets share: limits, the work queue, the counts of users and of subscriptions. */
export interface SocketHost {
  readonly limits: ConnectionLimits;
  readonly longTexts: LongTexts;
  readonly partialInput: PartialInput;
  readonly work: WorkQueue;
  readonly turn: SendingTurn;
  /**
   * Takes a slot in the user's concurrency limit, and has the connection expire with its token.
   * @throws LangwireError RATE_LIMITED
   */
  registerUser(connection: SocketConnection, identity: Identity): void;
  /** The socket has closed. */
  ended(connection: SocketConnection): void;
  /** Takes a slot in the user's concurrency limit of subscriptions. @throws LangwireError RATE_LIMITED */
  enterSubscription(userId: string): void;
  /** Releases it. */
  leaveSubscription(userId: string): void;
}
