/** One user with his own connection, whatever he speaks to. */
export interface Client {
  /**
   * Sends one message.
   * @param onText called with each piece of the answer as it comes
   * @returns settles when the answer is complete
   */
  send(message: string, onText: (piece: string) => void, room?: string): Promise<void>;
  /** Makes the room that others are to read along in, where it must be made. */
  createRoom?(room: string): Promise<void>;
  /**
   * Reads along in a room where others send. Absent where the peer has no such thing.
   * @returns settles when the peer has had time to let the reader in
   */
  watch?(room: string, onText: (piece: string) => void, onEnd: () => void): Promise<void>;
  /** Stops reading from the connection, and goes on with it. Absent where there is none. */
  pause?(): void;
  resume?(): void;
  close(): void;
}

export interface ConnectOptions {
  /** A name for the user, distinct for each client. */
  readonly userId: string;
  /** How long the connection may take to open. Default: as long as it takes. */
  readonly timeoutMs?: number;
}

export type Connect = (url: string, options: ConnectOptions) => Promise<Client>;
