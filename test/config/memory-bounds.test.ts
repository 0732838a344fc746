/** What a process may hold follows the memory that it has; all of it together fits in. */
import { describe, expect, test } from "vitest";
import { memoryBounds, socketsPerAddress } from "../../src/config/memory-bounds.ts";
import { readSettings } from "../../src/config/read-settings.ts";

const mebibyte = 1024 * 1024;
const gibibyte = 1024 * mebibyte;

/** V8's heap limit in a container of that size, as Node 24 sets it. */
const containers: readonly (readonly [totalMebibytes: number, heapMebibytes: number])[] = [
  [256, 259],
  [384, 259],
  [512, 259],
  [1_024, 560],
  [2_048, 1_072],
  [4_096, 2_096],
  [24_576, 4_288],
];

const bounds = (total: number, heap: number) =>
  memoryBounds({ totalBytes: total * mebibyte, heapLimitBytes: heap * mebibyte });

describe.each(containers)("in %i MiB with a heap of %i", (total, heap) => {
  test("the events of ended runs and of those in progress leave half of the heap to all else", () => {
    const { logMebibytes, liveRunsMebibytes } = bounds(total, heap);
    expect(logMebibytes + liveRunsMebibytes).toBeLessThan(heap / 2);
  });

  test("sockets that take nothing fit beside the heap", () => {
    // The least that any server takes, whatever there is.
    const least = 256;
    const { maxSockets } = bounds(total, heap);
    expect(maxSockets === least || maxSockets * 64 * 1024 < (total * mebibyte) / 4).toBe(true);
  });
});

test.each(containers)("in %i MiB one address or user cannot take all", (total, heap) => {
  const { maxSockets, maxLiveRuns } = bounds(total, heap);
  const { MAX_SOCKETS_PER_USER, MAX_LIVE_RUNS_PER_USER } = readSettings({});
  expect(socketsPerAddress(maxSockets)).toBeLessThanOrEqual(maxSockets / 4);
  expect(MAX_SOCKETS_PER_USER).toBeLessThanOrEqual(maxSockets / 2);
  expect(MAX_LIVE_RUNS_PER_USER).toBeLessThanOrEqual(maxLiveRuns / 2);
});

test("a large machine has what it always had", () => {
  expect(bounds(24_576, 4_288)).toMatchObject({
    ...{ logMebibytes: 256, maxLiveRuns: 1_000, maxSockets: 10_000 },
  });
});

test("more memory never means less of anything", () => {
  const all = containers.map((container) => Object.values(bounds(...container)));
  for (const [index, larger] of all.entries()) {
    const smaller = all[index - 1] ?? larger.map(() => 0);
    larger.forEach((value, at) => void expect(value).toBeGreaterThanOrEqual(smaller[at] ?? 0));
  }
});

test("without a known end of memory, or with hardly any, they are numbers all the same", () => {
  const unlimited = { heapLimitBytes: 4 * gibibyte, totalBytes: Number.POSITIVE_INFINITY };
  const tiny = { heapLimitBytes: 64 * mebibyte, totalBytes: 64 * mebibyte };
  for (const memory of [unlimited, tiny]) {
    for (const value of Object.values(memoryBounds(memory))) {
      expect(Number.isSafeInteger(value) && value > 0).toBe(true);
    }
  }
});
