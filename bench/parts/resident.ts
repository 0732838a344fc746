/** What a server's process holds (RSS) while something goes on. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Stage } from "./stage.ts";

const everyMs = 1_000;
const mebibyte = 1024 * 1024;

export async function residentMiB(stage: Stage): Promise<number> {
  return (await stage.server.call<number>("resident")) / mebibyte;
}

/** @returns MiB, each second until it is over */
export async function residentDuring(stage: Stage, work: Promise<unknown>): Promise<number[]> {
  const over = work.then(
    () => true,
    () => true,
  );
  const seen = [await residentMiB(stage)];
  while ((await Promise.race([over, sleep(everyMs)])) !== true) seen.push(await residentMiB(stage));
  await work;
  return [...seen, await residentMiB(stage)];
}
