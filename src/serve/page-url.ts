/** The address at which a browser on this machine finds a server. */
import type { Server } from "node:http";
import { isIP } from "node:net";

/** @param host as the server was told to listen: an address, a name, or every address there is */
export function pageUrl(server: Server, host: string): string {
  const address = server.address();
  // A string where it is a pipe: settings name none.
  const port = typeof address === "string" ? undefined : address?.port;
  const isEvery = /^(?:0\.0\.0\.0|::|0:0:0:0:0:0:0:0)$/.test(host);
  const name = isEvery ? "localhost" : isIP(host) === 6 ? `[${host}]` : host;
  return `http://${name}:${port ?? 0}`;
}
