/**
 * Whether an address leads to sessions of one's own: to Postgres itself, or a pooler by sessions. A
 * pooler by transactions (PgBouncer's `pool_mode = transaction`) gives each transaction to whichever
 * session is free, and with it whatever a session holds: a lock that one process takes there is
 * another's in the next moment, and both believe to have it.
 */
import type { ClientBase } from "pg";
import { LangwireError } from "../../protocol/errors.ts";

/** Each tells a pooler that has nothing else to do; more, one that other clients keep busy. */
const rounds = 3;

const whyNot =
  "it leads to a pooler by transactions, such as PgBouncer with pool_mode=transaction, where no lock " +
  "holds: give the address of Postgres itself, or of a pooler by sessions (pool_mode=session)";

/**
 * @param one @param other two connections to the same address, both open and idle
 * @throws LangwireError STORE_UNAVAILABLE when they are not a session each
 */
export async function checkSessions(one: ClientBase, other: ClientBase): Promise<void> {
  const [ones, others] = [new Set<unknown>(), new Set<unknown>()];
  for (let round = 0; round < rounds; round++) {
    // A pooler gives the session that was free last to whoever asks next.
    ones.add(await backendOf(one));
    others.add(await backendOf(other));
  }
  const areOwn = ones.size === 1 && others.size === 1 && ![...ones].some((it) => others.has(it));
  if (!areOwn) throw new LangwireError("STORE_UNAVAILABLE", { cause: new Error(whyNot) });
}

/** The process of Postgres's that serves the connection's session. */
async function backendOf(client: ClientBase): Promise<unknown> {
  const { rows } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
  return rows[0]?.pid;
}
