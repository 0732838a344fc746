/** What one process asks of all: cancel a run, ask the store who may still read a conversation. */
import { z } from "zod";

const noticeSchema = z.discriminatedUnion("type", [
  /** Cancel a run, whoever works on it. The name is that of the wire: processes of older versions read it. */
  z.object({ type: z.literal("stop"), runId: z.string() }),
  /**
   * Members may have been removed: ask the store about every user who reads the conversation here.
   * `userIds` is for processes of older versions, which end the reading of these users unasked, of
   * everybody without it. This version sends it and does not read it.
   */
  z.object({
    type: z.literal("revoke"),
    conversationId: z.string(),
    userIds: z.array(z.string()).optional(),
  }),
]);

export type Notice = z.infer<typeof noticeSchema>;

export function formatNotice(notice: Notice): string {
  return JSON.stringify(notice);
}

/** Undefined for what this version does not know: processes of other versions may say more. */
export function parseNotice(message: string): Notice | undefined {
  return noticeSchema.safeParse(jsonOf(message)).data;
}

function jsonOf(message: string): unknown {
  try {
    return JSON.parse(message);
  } catch {
    return undefined;
  }
}
