/** Which errors tell of an outage, after which the same question may be answered. */

/** Of Node.js, of undici's `fetch`, and of databases that speak of their connection. */
const outageCode =
  /^(E(AI_AGAIN|CONN(ABORTED|REFUSED|RESET)|HOSTUNREACH|NETUNREACH|NOTFOUND|PIPE|TIMEDOUT)|UND_ERR_\w+|08\w{3}|57P0[1-3])$/;
const outageName = /^(AbortError|TimeoutError)$/;
const causesAtMost = 5;

export function isOutage(thrown: unknown): boolean {
  let cause = thrown;
  for (let depth = 0; depth < causesAtMost && cause instanceof Error; depth++) {
    const { code, name, status, statusCode } = cause as Error & Partial<Record<string, unknown>>;
    if (outageName.test(name) || outageCode.test(String(code))) return true;
    const answered = Number(status ?? statusCode ?? 0);
    if (answered >= 500 || answered === 429) return true;
    cause = cause instanceof AggregateError ? (cause.errors[0] ?? cause.cause) : cause.cause;
  }
  return false;
}
