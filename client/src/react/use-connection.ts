import { useCallback, useSyncExternalStore } from "react";
import type { LangwireClient } from "../client.ts";
import type { ConnectionState } from "../connection/connection.ts";
import type { LangwireClientError } from "../errors.ts";

export interface UseConnection {
  readonly state: ConnectionState;
  /** Why there is no connection, while there should be one. */
  readonly error: LangwireClientError | undefined;
}

/** The state of a client's connection, as it changes. */
export function useConnection({ connection }: LangwireClient): UseConnection {
  const state = useSyncExternalStore(
    connection.subscribe,
    useCallback(() => connection.state, [connection]),
    () => "idle" as const,
  );
  const error = useSyncExternalStore(
    connection.subscribe,
    useCallback(() => connection.error, [connection]),
    () => undefined,
  );
  return { state, error };
}
