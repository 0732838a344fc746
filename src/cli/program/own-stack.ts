/** What was thrown, in words, with those lines of its stack that are the program's own. */

import { fileURLToPath } from "node:url";
import { inspect } from "node:util";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const langwires = ["src", "dist"].map((folder) => `${root}${folder}/`);
const maxCauses = 5;

export function ownStack(thrown: unknown, depth = 0): string {
  if (!(thrown instanceof Error)) return inspect(thrown);
  const stack = thrown.stack ?? `${thrown.name}: ${thrown.message}`;
  const lines = stack.split("\n").filter((line) => !isFrame(line) || isOwn(line));
  const cause =
    thrown.cause === undefined || depth === maxCauses
      ? ""
      : `\ncaused by ${ownStack(thrown.cause, depth + 1)}`;
  return lines.join("\n") + cause;
}

const isFrame = (line: string): boolean => /^\s+at /.test(line);

function isOwn(frame: string): boolean {
  if (/node_modules|\bnode:|<anonymous>\)?$/.test(frame)) return false;
  return !langwires.some((folder) => frame.includes(folder));
}
