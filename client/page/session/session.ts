/**
 * Who uses this window, and the client that speaks for them. Kept for the window alone, so that two
 * windows can be two people.
 */
import { createClient, type LangwireClient } from "langwire-client";
import { useSyncExternalStore } from "react";
import { windowStorage } from "../browser/storage.ts";
import { forgetDrafts } from "../composer/drafts.ts";
import { loadSessionInfo, type SessionInfo } from "./session-info.ts";

export interface Session {
  /** The name on a server without authentication. */
  readonly userId: string;
  readonly token: string | undefined;
  readonly client: LangwireClient;
  /** What the server says of the user. Undefined until it has said so. */
  readonly info: SessionInfo | undefined;
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

/** Comes in again, if the user has signed in at another window in the meantime. */
export async function tryAgain(): Promise<void> {
  const info = await loadSessionInfo(session.token);
  if (info?.user !== undefined) replace(session.userId);
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
  const opened: Session = { userId, token, client, info: undefined };
  void loadSessionInfo(token).then((info = {}) => {
    if (session === opened) change({ ...opened, info });
  });
  return opened;
}

function replace(userId: string): void {
  void session.client.close();
  change(open(userId));
}

function change(changed: Session): void {
  session = changed;
  for (const listener of [...listeners]) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
