/** Bounds that are part of the contract: no setting raises them, so clients can rely on them. */
export const protocolLimits = {
  /** Characters of a conversation's title. */
  titleLength: 200,
  /** Characters of a bot's or a user's id. */
  idLength: 200,
  /** Characters of one message, before any lower limit of the server's own. */
  messageLength: 1_000_000,
  /** Entries of one page of a list. */
  pageSize: 100,
} as const;
