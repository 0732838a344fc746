import { once } from "node:events";
import { createServer } from "node:net";

/**
 * Below the ports that the system gives to clients. One of those may be taken by anybody's connection
 * between the choice and the server's start, or while the server is down; a client that keeps trying
 * to reach it could even be given its port, and reach itself.
 */
const first = 15_000;
const last = 32_000;

/** The same one is not given out twice in a process, though nobody may listen on it yet. */
const given = new Set<number>();

/** A port of 127.0.0.1 that nobody listens on at the moment. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = first + Math.floor(Math.random() * (last - first));
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port, "127.0.0.1"), "listening");
  } catch {
    return false;
  }
  await new Promise((resolve) => server.close(resolve));
  return true;
}
