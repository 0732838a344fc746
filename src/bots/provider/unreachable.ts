/** Says of an error that a connection could not be made: to where, and why. */
import { read, textIn } from "./unknown-json.ts";

/** What the operating system says, in words. */
const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ENOTFOUND: "there is no such host",
  EAI_AGAIN: "the host's name cannot be looked up at the moment",
  EHOSTUNREACH: "no route to the host",
  ENETUNREACH: "the network is unreachable",
  ETIMEDOUT: "no answer in time",
  UND_ERR_CONNECT_TIMEOUT: "no answer in time",
};

const deepest = 8;

/** @returns such as `127.0.0.1:11434: connection refused`; undefined for any other error */
export function unreachable(thrown: unknown): string | undefined {
  let error: unknown = thrown;
  for (let depth = 0; depth < deepest && typeof error === "object" && error !== null; depth++) {
    const code = textIn(error, "code") ?? "";
    const reason = Object.hasOwn(reasons, code) ? reasons[code] : undefined;
    // Where several addresses were tried, the error itself names none.
    const [first] = listed(read(error, "errors"));
    const place = placeOf(error) ?? placeOf(first);
    if (reason !== undefined && place !== undefined) return `${place}: ${reason}`;
    error = read(error, "cause") ?? first;
  }
  return undefined;
}

function listed(errors: unknown): readonly unknown[] {
  return Array.isArray(errors) ? errors : [];
}

function placeOf(error: unknown): string | undefined {
  const host = textIn(error, "address", "hostname");
  const port = read(error, "port");
  if (host === undefined) return undefined;
  return port === undefined ? host : `${host.includes(":") ? `[${host}]` : host}:${port}`;
}
