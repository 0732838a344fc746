import { expect, test } from "vitest";
import { inGroups } from "../../client/page/chat/messages/message-groups.ts";

const numbered = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => ({ id: `${from + index}` }));

test("all messages are in groups, in their order, however they came", () => {
  for (const anchor of ["0", "7", "39", "40", "119", "gone", undefined]) {
    const messages = numbered(0, 120);
    const groups = inGroups(messages, anchor);
    expect(groups.flatMap((group) => group.messages)).toEqual(messages);
    expect(new Set(groups.map(({ key }) => key)).size).toBe(groups.length);
    expect(Math.max(...groups.map((group) => group.messages.length))).toBeLessThanOrEqual(40);
  }
  expect(inGroups([], "0")).toEqual([]);
});

test("a message stays in its group while others come before and behind it", () => {
  const keys = new Map<string, number>();
  for (const [from, to] of [
    [0, 50],
    [0, 52],
    [-50, 52],
    [-100, 52],
    [-100, 161],
    [-123, 161],
  ] as const) {
    for (const { key, messages } of inGroups(numbered(from, to), "0")) {
      for (const { id } of messages) {
        expect(keys.get(id) ?? key).toBe(key);
        keys.set(id, key);
      }
    }
  }
});
