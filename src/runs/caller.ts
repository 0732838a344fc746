/** Who asks. */
export interface Caller {
  readonly userId: string;
}
