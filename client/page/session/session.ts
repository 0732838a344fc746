/**
 * Who uses this window, and the client that speaks for them. Kept for the window alone, so that two
 * windows can be two people.
 */
import { createClient, type LangwireClient } from "langwire-client";
import { useSyncExternalStore } from "react";

export interface Session {
  /** The name on a server without authentication. */
  readonly userId: string;
  readonly token: string | undefined;
  readonly client: LangwireClient;
}

const userKey = "langwire-user";
const tokenKey = "langwire-token";
const defaultUserId = "local";

const api = new URL("trpc", document.baseURI).href;
const listeners = new Set<() => void>();
let session = open(userInAddress() ?? sessionStorage.getItem(userKey) ?? defaultUserId);

export function useSession(): Session {
  return useSyncExternalStore(subscribe, () => session);
}

export function signIn(token: string): void {
  sessionStorage.setItem(tokenKey, token);
  replace(session.userId);
}

export function signOut(): void {
  sessionStorage.removeItem(tokenKey);
  replace(session.userId);
}

export function changeUser(userId: string): void {
  replace(userId);
}

function userInAddress(): string | undefined {
  return new URLSearchParams(window.location.search).get("user") || undefined;
}

function open(userId: string): Session {
  sessionStorage.setItem(userKey, userId);
  const token = sessionStorage.getItem(tokenKey) ?? undefined;
  const client = createClient({ url: api, ...(token === undefined ? { userId } : { token }) });
  return { userId, token, client };
}

function replace(userId: string): void {
  void session.client.close();
  session = open(userId);
  for (const listener of [...listeners]) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
