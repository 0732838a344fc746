import { Socket } from "node:net";

/** TCP itself takes minutes to find out that nobody is there any more. */
export function socketThatGivesUp(timeoutMs: number): Socket {
  const socket = new Socket();
  return socket.setTimeout(timeoutMs, () =>
    socket.destroy(new Error("Connection terminated: the server did not answer in time")),
  );
}
