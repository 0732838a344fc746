/** Who asks. */
export interface Caller<Context = unknown> {
  readonly userId: string;
  /**
   * What the application knows of the caller besides: a tenant, roles, a plan. For its own code alone: it
   * stays in memory, and is never logged, stored or sent.
   */
  readonly context?: Context | undefined;
}
