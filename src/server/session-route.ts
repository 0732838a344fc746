/** What the page at `/` knows of its user: the name, and the application's own pages to sign in and out. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { LangwireError } from "../protocol/errors.ts";
import { factsOf } from "./access/auth-request.ts";
import type { Identify } from "./access/identify.ts";

export interface SignInPages {
  /**
   * Where the page at `/` sends who is not signed in: `/login`, `https://app.example.com/login?next={url}`.
   * `{url}` becomes the page's own address. Default: it asks for a token, where `authenticate` looks for
   * one; else it says that the application signs in.
   */
  readonly signInUrl?: string | undefined;
  /** Where it sends who signs out. */
  readonly signOutUrl?: string | undefined;
}

/** As `GET /session` answers it; beside `SignInPages`, who asks, if that is anybody. */
export interface SessionInfo extends SignInPages {
  readonly user?: { readonly userId: string; readonly name?: string | undefined };
  /** Where a token would not be looked at: the application signs its users in by other means, cookies say. */
  readonly takesTokens?: false;
}

interface SessionRouteOptions {
  readonly pages: SignInPages;
  /** Absent for a server that takes callers at their word. */
  readonly identify: Identify | undefined;
}

/** @throws TypeError for an address that is none of a page */
export function sessionRoute(
  app: FastifyInstance,
  { pages: { signInUrl, signOutUrl }, identify }: SessionRouteOptions,
): void {
  for (const [name, url] of Object.entries({ signInUrl, signOutUrl })) {
    if (url !== undefined && !isPage(url)) {
      throw new TypeError(`${name} must be a path such as /login, or an http or https URL: ${url}`);
    }
  }
  /** Who brings a token in a header may have been looked at by that alone: it says nothing of others. */
  const takesNoTokens = ({ headers }: FastifyRequest) =>
    identify?.looksForTokens === false && headers.authorization === undefined;
  app.get("/session", async (request, reply): Promise<SessionInfo> => {
    reply.header("cache-control", "no-store");
    const user = await identify?.(factsOf(request, null)).catch(unlessNobody);
    return {
      ...(signInUrl !== undefined && { signInUrl }),
      ...(signOutUrl !== undefined && { signOutUrl }),
      ...(user && { user: { userId: user.userId, name: user.name } }),
      ...(takesNoTokens(request) && { takesTokens: false }),
    };
  });
}

function unlessNobody(cause: unknown): undefined {
  if (cause instanceof LangwireError && cause.code === "UNAUTHORIZED") return undefined;
  throw cause;
}

/** Not `javascript:…`, nor `//elsewhere.example`. */
export function isPage(url: string): boolean {
  return /^\/(?![/\\])/.test(url) || /^https?:$/.test(URL.parse(url)?.protocol ?? "");
}
