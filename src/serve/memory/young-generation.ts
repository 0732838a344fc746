/**
 * How much room V8's young generation has. V8 doubles it when more has survived collections than it holds, as most
 * does while modules load, up to 64 MiB for each of its halves, and shrinks it with a later collection only: a server
 * that has just started would hold 100 MB of it for nothing, and fill it with garbage under a flood.
 */
import { PerformanceObserver } from "node:perf_hooks";
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";
import { isGivenByOperator } from "./operator-flags.ts";

/** Node.js 22 had 16. With more there are fewer collections, of which none takes less. */
const largestHalfBytes = 8 * 1024 * 1024;

/** To be called before the modules of a program are loaded. */
export function holdYoungGeneration(): void {
  if (!isSetByOperator()) setGrowthFactor(1);
}

/** Lets it grow with what is done, to 8 MiB for each half. Looks after each collection, of which each may be a step. */
export function letYoungGenerationGrow(): void {
  if (isSetByOperator()) return;
  new PerformanceObserver(growAsNeeded).observe({ entryTypes: ["gc"] });
}

/** By how much V8 may multiply a half of that size: 1 keeps it as it is. */
export function growthFactor(halfBytes: number): number {
  return Math.max(1, Math.floor(largestHalfBytes / Math.max(1, halfBytes)));
}

function growAsNeeded(): void {
  setGrowthFactor(growthFactor(halfBytes()));
}

function halfBytes(): number {
  const space = getHeapSpaceStatistics().find(({ space_name: name }) => name === "new_space");
  return (space?.space_size ?? 0) / 2;
}

function setGrowthFactor(factor: number): void {
  setFlagsFromString(`--semi-space-growth-factor=${factor}`);
}

/** Whoever starts the process with sizes of their own has them. */
function isSetByOperator(): boolean {
  return isGivenByOperator(/semi[-_]space/);
}
