/** A memory limit of Linux's own, as containers have one. */
import { access, constants, mkdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path/posix";

export interface MemoryCgroup extends AsyncDisposable {
  /** A process that writes its id there is limited from then on, with all that it starts. */
  readonly processes: string;
  /** The most that all of it has had. */
  peakBytes(): Promise<number>;
}

interface Layout {
  readonly parent: string;
  readonly limit: string;
  readonly peak: string;
}

const root = "/sys/fs/cgroup";
const layouts: readonly Layout[] = [
  { parent: root, limit: "memory.max", peak: "memory.peak" },
  {
    parent: join(root, "memory"),
    limit: "memory.limit_in_bytes",
    peak: "memory.max_usage_in_bytes",
  },
];

/** Undefined where this user may make none. */
export async function memoryCgroup(bytes: number): Promise<MemoryCgroup | undefined> {
  for (const { parent, limit, peak } of layouts) {
    const folder = join(parent, `langwire-test-${process.pid}-${crypto.randomUUID().slice(0, 8)}`);
    try {
      await mkdir(folder);
    } catch {
      continue;
    }
    const leave = async () => {
      // Its last process may be gone for us and not for the kernel yet.
      for (let tries = 0; tries < 100; tries++) {
        try {
          return await rmdir(folder);
        } catch {
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      }
    };
    try {
      await access(join(folder, limit), constants.W_OK);
      await writeFile(join(folder, limit), String(bytes));
    } catch {
      await leave();
      continue;
    }
    return {
      processes: join(folder, "cgroup.procs"),
      peakBytes: async () => Number(await readFile(join(folder, peak), "utf8")),
      [Symbol.asyncDispose]: leave,
    };
  }
  return undefined;
}
