/** What a server's process holds that has nothing to do, and how V8 collects its garbage. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { growthFactor } from "../../src/serve/memory/young-generation.ts";
import { temporaryFolder } from "../faults/child-server.ts";
import { startProgram } from "../support/child-process.ts";

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const main = file("../../src/main.ts");
const probe = file("collector-probe.ts");
const mebibyte = 1024 * 1024;

test("a server that has started gives back what starting took", async () => {
  await using folder = await temporaryFolder();
  await using server = startProgram(process.execPath, [main], {
    env: { PORT: "0", DATA_DIR: folder.path, LOG_FORMAT: "json" },
  });
  await server.printed(/listening at/);
  const residentMebibytes = async () => {
    const [, kilobytes] = /VmRSS:\s+(\d+) kB/.exec(
      await readFile(`/proc/${server.child.pid}/status`, "utf8"),
    ) as RegExpExecArray;
    return Number(kilobytes) / 1024;
  };
  // With what strips types, which is 30 more than what is compiled; 280 if it gave nothing back.
  await expect.poll(residentMebibytes).toBeLessThan(190);
});

interface Seen {
  readonly starting: number;
  readonly grown: number;
  readonly helpersShare: number;
}

async function probed(command: string, args: readonly string[]): Promise<Seen> {
  await using process_ = startProgram(command, [...args, probe], { env: {} });
  const [line] = await process_.printed(/\{.*\}/);
  return JSON.parse(line);
}

test("the young generation stays small while a server starts, and grows to 8 MiB a half", async () => {
  const { starting, grown } = await probed(process.execPath, []);
  expect(starting).toBeLessThanOrEqual(4);
  expect(grown).toBe(8);
});

test("whoever starts it with sizes of their own has those", async () => {
  const seen = await probed(process.execPath, ["--max-semi-space-size=32"]);
  expect(seen).toMatchObject({ starting: 32, grown: 32 });
});

/** Without compilers, which have helpers as well. */
const onOneCore = ["-c", "0", process.execPath, "--no-opt", "--no-maglev", "--no-sparkplug"];

test("with one core the main thread collects what is old and what is young", async () => {
  // Four hundredths, of the short time in which nothing else goes on; with helpers, three tenths to a half.
  expect((await probed("taskset", onOneCore)).helpersShare).toBeLessThan(0.1);
});

test.for(["--concurrent-marking", "--no_parallel_compaction"])(
  "whoever says with %s what helpers are to do has that",
  async (flag) => {
    const { helpersShare } = await probed("taskset", [...onOneCore, flag]);
    expect(helpersShare).toBeGreaterThan(0.15);
  },
);

test.for([
  [0, 8 * mebibyte],
  [1, 8],
  [2.5, 3],
  [4, 2],
  [4.25, 1],
  [8, 1],
  [32, 1],
])("of %s MiB a half may become %s times as much", ([size = 0, factor]) => {
  expect(growthFactor(size * mebibyte)).toBe(factor);
});
