/** A browser's WebSocket as far as who is calling goes: it sends an origin and a jar of cookies. */
import { WebSocket as Ws } from "ws";

/** @param jar read anew for each socket */
export function socketWithCookies(jar: { cookie?: string | undefined }): typeof WebSocket {
  const WithCookies = class extends Ws {
    constructor(url: string | URL) {
      const { host } = new URL(url);
      const { cookie } = jar;
      super(url, { origin: `http://${host}`, headers: cookie === undefined ? {} : { cookie } });
    }
  };
  return WithCookies as unknown as typeof WebSocket;
}
