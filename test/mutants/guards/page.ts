/** The chat page, by the parts of it that need no browser. */
import type { Guard } from "../guard.ts";

const lists = ["test/page/dom/conversations.test.ts"];
const list = "client/page/conversations/use-conversations.ts";

export const pageGuards: readonly Guard[] = [
  {
    slip: "a page of conversations that is asked for twice stands there twice",
    file: list,
    code: "before !== undefined && before.nextCursor === cursor",
    becomes: "before !== undefined",
    tests: lists,
  },
];
