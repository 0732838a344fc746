import { expect, test } from "vitest";
import { formatNotice, type Notice, parseNotice } from "../../src/runs/cluster/notices.ts";

test.each<Notice>([
  { type: "stop", runId: "run" },
  { type: "revoke", conversationId: "conversation" },
  { type: "revoke", conversationId: "conversation", userIds: ["alice"] },
])("a notice to $type is received as it was published", (notice) => {
  expect(parseNotice(formatNotice(notice))).toEqual(notice);
});

test.each(['{"type":"of a later version"}', '{"type":"stop"}', "not JSON", ""])(
  "%j, of another version, is no notice",
  (message) => {
    expect(parseNotice(message)).toBeUndefined();
  },
);
