/** What one process asks of all: stop a run, end the reading of some users. */
import { z } from "zod";

const noticeSchema = z.discriminatedUnion("type", [
  /** Cancel a run, whoever works on it. */
  z.object({ type: z.literal("stop"), runId: z.string() }),
  /** End the reading of these users; of everybody without `userIds`. */
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
