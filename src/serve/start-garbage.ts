/**
 * Gives back what starting took. Loading modules leaves garbage between what stays, and has V8 keep as much
 * room for young objects as it may: together as much as the server itself, and while nothing happens, V8
 * looks at neither.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Logger } from "pino";

const mebibyte = 1024 * 1024;

/**
 * Holds the thread for a tenth of a second or two, and has V8 forget what it compiled: to be called once, as the
 * last of starting. Two seconds later the first runs were held up by it, and ran cold once more.
 */
export function giveBackStartGarbage(logger: Pick<Logger, "debug">): void {
  const before = residentMebibytes();
  collectAllGarbage();
  logger.debug({ before, after: residentMebibytes() }, "MiB resident, now that it has started");
}

function residentMebibytes(): number {
  return Math.round(process.memoryUsage.rss() / mebibyte);
}

/** As V8 does where memory has run out: by itself, it moves nothing together and keeps its room. */
function collectAllGarbage(): void {
  setFlagsFromString("--expose-gc");
  const collect: typeof globalThis.gc = runInNewContext("gc");
  collect?.({ type: "major", execution: "sync", flavor: "last-resort" });
  setFlagsFromString("--no-expose-gc");
}
