/** Limits of one socket, one address, one user and the whole server. Each is a setting of the server. */
export interface ConnectionLimits {
  /** Bytes of one frame from a client (close 1009), and of one request body: BAD_INPUT. */
  readonly maxFrameBytes: number;
  /** Requests in one frame: BAD_INPUT. More than `maxSubscriptionsPerSocket`: see there. */
  readonly maxMessagesPerFrame: number;
  /** Requests in a second on one socket: RATE_LIMITED; at twice as many it is closed. */
  readonly maxRequestsPerSecond: number;
  /** Concurrency limit of queries; each counts until its answer was taken, others wait. */
  readonly maxQueries: number;
  /** The same of one user. */
  readonly maxQueriesPerUser: number;
  /** Calls of one user in a second, on all their sockets and over HTTP; those beyond wait. */
  readonly maxCallsPerSecondPerUser: number;
  /** Bytes that a user may send in a second, and be answered, events not counted; those beyond wait. */
  readonly maxAnswerBytesPerSecondPerUser: number;
  /** HTTP requests and new sockets in a second from one address: RATE_LIMITED. */
  readonly maxHttpRequestsPerSecond: number;
  /**
   * Subscriptions that one socket may have open: RATE_LIMITED. A client that comes back sends all
   * that it has again, in one frame.
   */
  readonly maxSubscriptionsPerSocket: number;
  /** Subscriptions that one user may have open on all their sockets: RATE_LIMITED. Each event goes to each. */
  readonly maxSubscriptionsPerUser: number;
  /**
   * TCP connections of all kinds; fewer where the system allows fewer open files. Past it, the one that
   * has been idle longest is closed; OVERLOADED where none is idle.
   */
  readonly maxConnections: number;
  /**
   * TCP connections of one address that are no WebSockets and no subscriptions. Past it, the one that has
   * been idle longest is closed; RATE_LIMITED where none is idle.
   */
  readonly maxHttpConnectionsPerAddress: number;
  /** Sockets, and subscriptions over HTTP, in all: OVERLOADED. */
  readonly maxSockets: number;
  /** The same from one address: RATE_LIMITED. */
  readonly maxSocketsPerAddress: number;
  /** The same of one user: RATE_LIMITED. */
  readonly maxSocketsPerUser: number;
  /** How long a new socket may take to send its connection parameters. */
  readonly authTimeoutMs: number;
  /** How often a socket is pinged; one that has left a ping unanswered by the next is closed. */
  readonly pingMs: number;
  /** Bytes that may wait in this process for one socket. */
  readonly maxBacklogBytes: number;
  /** How long a socket may take nothing while something waits for it; then it is closed. */
  readonly slowReaderMs: number;
}

export const defaultConnectionLimits: ConnectionLimits = {
  maxFrameBytes: 256 * 1024,
  maxMessagesPerFrame: 128,
  maxRequestsPerSecond: 256,
  maxQueries: 32,
  maxQueriesPerUser: 4,
  maxCallsPerSecondPerUser: 500,
  maxAnswerBytesPerSecondPerUser: 8 * 1024 * 1024,
  maxHttpRequestsPerSecond: 500,
  maxSubscriptionsPerSocket: 100,
  maxSubscriptionsPerUser: 1_000,
  maxConnections: 12_000,
  maxHttpConnectionsPerAddress: 256,
  maxSockets: 10_000,
  maxSocketsPerAddress: 1_000,
  maxSocketsPerUser: 100,
  authTimeoutMs: 10_000,
  pingMs: 30_000,
  maxBacklogBytes: 64 * 1024,
  slowReaderMs: 120_000,
};
