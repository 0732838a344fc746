/** Warns at the start when nobody listens at the provider's address: otherwise the first user finds out. */
import { connect } from "node:net";
import type { Logger } from "pino";
import { unreachable } from "../bots/provider/unreachable.ts";

const timeoutMs = 3_000;

/** Opens a connection and closes it. What takes long is left to the runs, and nothing waits for this. */
export function warnIfUnreachable(baseUrl: string, logger: Pick<Logger, "warn">): void {
  const { protocol, hostname, port } = new URL(baseUrl);
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  const socket = connect({ host, port: Number(port || (protocol === "https:" ? 443 : 80)) });
  socket.setTimeout(timeoutMs, () => socket.destroy());
  socket.unref();
  socket.once("connect", () => socket.destroy());
  socket.once("error", (cause) => {
    const where = unreachable(cause);
    if (where === undefined) return;
    logger.warn(`The provider cannot be reached at ${baseUrl} (${where}). Runs fail until it can.`);
  });
}
