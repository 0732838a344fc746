/** What the server says of this window's user: `GET /session`. */

export interface SessionInfo {
  /** Where one signs in; `{url}` in it stands for the address of this page. */
  readonly signInUrl?: string;
  readonly signOutUrl?: string;
  /** False where the server would not look at a token: the application that it belongs to signs in. */
  readonly takesTokens?: false;
  /** Who one is, where the server asks for a proof of it. */
  readonly user?: { readonly userId: string; readonly name?: string };
}

const address = new URL("session", document.baseURI);

/** @returns undefined where the server cannot be asked */
export async function loadSessionInfo(token: string | undefined): Promise<SessionInfo | undefined> {
  try {
    const headers: HeadersInit = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const answer = await fetch(address, { headers });
    return answer.ok ? ((await answer.json()) as SessionInfo) : undefined;
  } catch {
    return undefined;
  }
}

export function signInAddress(signInUrl: string): string {
  return signInUrl.replaceAll("{url}", encodeURIComponent(window.location.href));
}
