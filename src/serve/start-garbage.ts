/**
 * Gives back what starting took. Loading modules leaves garbage between what stays, and has V8 keep as much
 * room for young objects as it may: together as much as the server itself, and while nothing happens, V8
 * looks at neither.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Logger } from "pino";

/** What a program opens as it starts, it has opened by then. */
const delayMs = 2_000;
const mebibyte = 1024 * 1024;

/**
 * Does it once, a while from now, unless there are runs by then: it holds the thread for a tenth of a second,
 * and has V8 forget what it compiled. Does not keep the process alive.
 */
export function giveBackAfterStart(isIdle: () => boolean, logger: Pick<Logger, "debug">): void {
  setTimeout(() => {
    if (!isIdle()) return;
    const before = residentMebibytes();
    collectAllGarbage();
    logger.debug({ before, after: residentMebibytes() }, "MiB resident, now that it has started");
  }, delayMs).unref();
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
