/**
 * In a test whose server runs in the same process (`langwire/testing`): the error itself that a run's bot
 * threw. Test runners print an error's `cause` with its message and its stack.
 */
const registry = Symbol.for("langwire.testing.thrown");

/** @returns undefined outside of such a test */
export function thrownIn(runId: string): unknown {
  const thrown: unknown = Reflect.get(globalThis, registry);
  return thrown instanceof Map ? thrown.get(runId) : undefined;
}
