/**
 * Who uses this window, and the client that speaks for them. Kept for the window alone, so that two
 * windows can be two people.
 */
import { createClient, type LangwireClient } from "langwire-client";
import { useSyncExternalStore } from "react";
import { forgetDrafts } from "../chat/drafts.ts";
import { windowStorage } from "../storage.ts";

export interface Session {
  /** The name on a server without authentication. */
  readonly userId: string;
  readonly token: string | undefined;
  readonly client: LangwireClient;
}

const userKey = "langwire-user";
const tokenKey = "langwire-token";
export const defaultUserId = "local";

const api = new URL("trpc", document.baseURI).href;
const listeners = new Set<() => void>();
let session = open(userInAddress() ?? windowStorage.get(userKey) ?? defaultUserId);

export function useSession(): Session {
  return useSyncExternalStore(subscribe, () => session);
}

export function signIn(token: string): void {
  windowStorage.set(tokenKey, token);
  replace(session.userId);
}

export function signOut(): void {
  windowStorage.set(tokenKey, undefined);
  forgetDrafts();
  replace(session.userId);
}

export function changeUser(userId: string): void {
  replace(userId);
}

function userInAddress(): string | undefined {
  return new URLSearchParams(window.location.search).get("user") || undefined;
}

function open(userId: string): Session {
  windowStorage.set(userKey, userId);
  const token = windowStorage.get(tokenKey);
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
