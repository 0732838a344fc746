/** Paces a follower: says when the socket that it feeds can take more. */
export interface Pacer {
  /** Undefined when more can be sent now; else settles when it can, or when the socket is gone. */
  ready(): Promise<void> | undefined;
}
