/**
 * What bots threw, by run, for the clients of a test: `langwire-client` looks it up here, as the `cause` of its
 * errors. Under a name that all copies of the packages share, since a test may load several.
 */
const registry = Symbol.for("langwire.testing.thrown");

export function thrownByRun(): Map<string, unknown> {
  const known: unknown = Reflect.get(globalThis, registry);
  if (known instanceof Map) return known;
  const thrown = new Map<string, unknown>();
  Reflect.set(globalThis, registry, thrown);
  return thrown;
}
