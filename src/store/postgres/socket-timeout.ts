import { Socket } from "node:net";

/** A socket with an idle timeout: TCP itself takes minutes to notice that the other end is gone. */
export function socketThatGivesUp(timeoutMs: number): Socket {
  const socket = new Socket();
  return socket.setTimeout(timeoutMs, () =>
    socket.destroy(new Error("Connection terminated: the server did not answer in time")),
  );
}
