import type { LangwireClient } from "langwire-client";
import { useConnection } from "langwire-client/react";
import { useSyncExternalStore } from "react";

/** Whether the server is within reach. Spoken only when that changes. */
export function ConnectionLight({ client }: { readonly client: LangwireClient }) {
  const { state, error } = useConnection(client);
  const isOnline = useSyncExternalStore(subscribeToNetwork, () => navigator.onLine);
  const [light, words] = describe(state, { isOnline, wasLost: error !== undefined });
  return (
    <p className="connection" data-light={light} role="status">
      {words}
    </p>
  );
}

function describe(
  state: ReturnType<typeof useConnection>["state"],
  { isOnline, wasLost }: { readonly isOnline: boolean; readonly wasLost: boolean },
): readonly [light: "on" | "waiting" | "off", words: string] {
  if (!isOnline) return ["off", "Offline"];
  switch (state) {
    case "open":
      return ["on", "Connected"];
    case "idle":
      return ["on", "Ready"];
    case "connecting":
      return wasLost ? ["off", "Reconnecting…"] : ["waiting", "Connecting…"];
    case "closed":
      return ["off", "Closed"];
  }
}

function subscribeToNetwork(listener: () => void): () => void {
  window.addEventListener("online", listener);
  window.addEventListener("offline", listener);
  return () => {
    window.removeEventListener("online", listener);
    window.removeEventListener("offline", listener);
  };
}
