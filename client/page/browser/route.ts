/**
 * Which conversation the page shows, as the address says it: `#/c/<id>`. Behind the `#`, because who
 * knows the id of a shared conversation may join it, and that part of an address is sent to no server.
 */
import { useSyncExternalStore } from "react";

const conversationRoute = /^#\/c\/([0-9a-f-]{36})$/i;

export function useConversationInRoute(): string | undefined {
  return useSyncExternalStore(subscribe, conversationInRoute);
}

export function conversationAddress(conversationId: string): string {
  return `#/c/${conversationId}`;
}

/** The link that a friend opens: the page as it is, without what only concerns this window. */
export function conversationLink(conversationId: string): string {
  const link = new URL(window.location.href);
  link.search = "";
  link.hash = conversationAddress(conversationId);
  return link.href;
}

/** Puts the conversation into the address; the page that was shown before is not one to go back to. */
export function replaceRoute(conversationId: string | undefined): void {
  const hash = conversationId === undefined ? "#/" : conversationAddress(conversationId);
  window.history.replaceState(null, "", hash);
  window.dispatchEvent(new HashChangeEvent("hashchange"));
}

function conversationInRoute(): string | undefined {
  return conversationRoute.exec(window.location.hash)?.[1];
}

function subscribe(listener: () => void): () => void {
  window.addEventListener("hashchange", listener);
  return () => window.removeEventListener("hashchange", listener);
}
