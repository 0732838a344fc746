/** Tells a follower when the socket it feeds can take more. */
export interface Pacer {
  /** Undefined when more can be sent now; else settles when it can, or when the socket is gone. */
  ready(): Promise<void> | undefined;
}
