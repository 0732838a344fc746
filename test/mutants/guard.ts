/** A slip that somebody may make in the code, and the tests that have to notice it. */
export interface Guard {
  /** What goes wrong, in a few words. */
  readonly slip: string;
  readonly file: string;
  /** Occurs once in the file. */
  readonly code: string;
  /** What is there instead. */
  readonly becomes: string;
  /** Of these files at least one has to fail. */
  readonly tests: readonly string[];
  /** Part of the name of the test in them that has to fail, where the others would take long. */
  readonly named?: string;
}
