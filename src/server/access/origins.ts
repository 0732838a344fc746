/**
 * Which pages may call the server. Browsers send an Origin; a request without one comes from no page,
 * and is decided by its credentials alone.
 */

/** Whether the name always means this machine. */
export function isLoopback(hostname: string): boolean {
  return (
    hostname === "localhost" ||
    hostname === "::1" ||
    hostname === "[::1]" ||
    /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname)
  );
}

/** @param host a Host header: a name and perhaps a port */
export function isLoopbackHost(host: string | undefined): boolean {
  const url = host === undefined ? null : URL.parse(`http://${host}`);
  return url !== null && url.host !== "" && isLoopback(url.hostname);
}

/** A name or an address, and perhaps a port: nothing that makes another URL of `http://<host>`. */
const hostHeader = /^(\[[\da-f:.]+\]|[\w.~%-]+)(:\d{1,5})?$/i;

/** Whether a Host header is one: `user@name` and what has a path, for one, are not. */
export function isHost(host: string): boolean {
  return hostHeader.test(host) && URL.canParse(`http://${host}`);
}

/** The parts of a request that say which page it comes from. */
export interface Provenance {
  readonly origin?: string | undefined;
  /** As the browser asked for it: a trusted proxy's `X-Forwarded-Host`, or the Host header. */
  readonly host?: string | undefined;
  /** `sec-fetch-site`: what the browser itself says of a request for which it sends no Origin. */
  readonly site?: string | string[] | undefined;
}

export type OriginCheck = (provenance: Provenance) => boolean;

/**
 * @param allowed exact origins, such as `https://chat.example.com`. Without them: the pages of the
 *   server's own host, and on a loopback host those of any other loopback host.
 */
export function originCheck(allowed?: readonly string[]): OriginCheck {
  const listed = allowed === undefined ? undefined : new Set(allowed);
  return ({ origin, host, site }) => {
    if (origin === undefined) return site === undefined || ownSite.has(String(site));
    if (listed !== undefined) return listed.has(origin);
    const url = URL.parse(origin);
    if (url === null || url.origin !== origin) return false;
    // Some clients and proxies write the port that the origin leaves out.
    const own = host !== undefined && isHost(host) && URL.parse(`${url.protocol}//${host}`);
    if (own && own.host === url.host) return true;
    return isLoopback(url.hostname) && isLoopbackHost(host);
  };
}

/** An address that was typed in, or a page of the server's own. */
const ownSite: ReadonlySet<string> = new Set(["none", "same-origin"]);
