/**
 * Standard output, for the log. When what reads it goes away, a closed terminal or a pipe, the log is lost and
 * nothing else is: pino's own destination throws where a line was to be logged, and then waits for ever at
 * the first fatal one, so that the server neither served nor ended.
 */
import { type DestinationStream, destination } from "pino";

export function standardOutput(): DestinationStream {
  // Each line is written before `write` returns: there is nothing to flush.
  const output = destination({ fd: process.stdout.fd, sync: true });
  let isGone = false;
  output.on("error", () => {
    isGone = true;
  });
  return {
    write: (text) => {
      if (!isGone) output.write(text);
    },
  };
}
