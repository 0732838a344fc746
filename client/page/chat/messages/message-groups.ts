/**
 * A long list in groups that stay as they are: what changes in one message draws its group anew, and a
 * group out of sight is not laid out. Messages come at both ends, so groups are counted from
 * a message that was there first, the anchor: neither a page of earlier ones nor a new one moves their bounds.
 */
export interface MessageGroup<Message> {
  /** Stays with the group, however it grows. */
  readonly key: number;
  readonly messages: readonly Message[];
}

const groupLength = 40;

/** @param anchorId of the message that the groups are counted from; where it is gone, from the first */
export function inGroups<Message extends { readonly id: string }>(
  messages: readonly Message[],
  anchorId: string | undefined,
): MessageGroup<Message>[] {
  const anchor = Math.max(
    0,
    messages.findIndex(({ id }) => id === anchorId),
  );
  const groups: MessageGroup<Message>[] = [];
  for (let from = 0; from < messages.length; ) {
    const key = Math.floor((from - anchor) / groupLength);
    const to = anchor + (key + 1) * groupLength;
    groups.push({ key, messages: messages.slice(from, to) });
    from = to;
  }
  return groups;
}
