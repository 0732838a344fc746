import type { LangwireClient } from "langwire-client";
import { useConnection } from "langwire-client/react";
import { useSyncExternalStore } from "react";
import { errorText, words } from "../language/words.ts";

/** Whether the server is within reach. Spoken only when that changes. */
export function ConnectionLight({ client }: { readonly client: LangwireClient }) {
  const { state, error } = useConnection(client);
  const isOnline = useSyncExternalStore(subscribeToNetwork, () => navigator.onLine);
  const [light, text] = describe(state, { isOnline, wasLost: error !== undefined });
  return (
    <p className="connection" data-light={light} role="status" title={error && errorText(error)}>
      {text}
    </p>
  );
}

function describe(
  state: ReturnType<typeof useConnection>["state"],
  { isOnline, wasLost }: { readonly isOnline: boolean; readonly wasLost: boolean },
): readonly [light: "on" | "waiting" | "off", text: string] {
  if (!isOnline) return ["off", words.offline];
  switch (state) {
    case "open":
      return ["on", words.connected];
    case "idle":
      return ["on", words.ready];
    case "connecting":
      return wasLost ? ["off", words.reconnecting] : ["waiting", words.connecting];
    case "closed":
      return ["off", words.closed];
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
