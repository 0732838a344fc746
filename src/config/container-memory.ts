/**
 * The memory limit of the control group that the process is in: of a container, a pod, a systemd unit. Node
 * knows the group's own limit (`process.constrainedMemory`); a limit counts for all that is below it, too:
 * of a pod, or of a slice.
 *
 * Layouts: version 1 (a hierarchy for memory alone), version 2 (one for everything), and hybrid, where both
 * are mounted and memory belongs to the first. In a container the path that the process is told may be one
 * of the host's, and what is mounted the group itself: the mount's own root counts always.
 */
import { readFileSync } from "node:fs";
import { join, normalize } from "node:path/posix";

interface Hierarchy {
  readonly mount: string;
  /** Files with a number of bytes, or `max`. */
  readonly limits: readonly string[];
}

/** Past `memory.high` a group is not ended, and slowed down until it is as good as that. */
const second: Hierarchy = { mount: "sys/fs/cgroup", limits: ["memory.max", "memory.high"] };
const first: Hierarchy = { mount: "sys/fs/cgroup/memory", limits: ["memory.limit_in_bytes"] };

/**
 * @param root of the file system
 * @returns infinity where nothing is limited, or nothing can be read
 */
export function containerMemoryBytes(root = "/"): number {
  const memberships = readLines(join(root, "proc/self/cgroup"));
  // Each line: number of the hierarchy, its controllers, the path. Version 2 has number 0 and no controllers.
  const paths = memberships.map((line) => /^(\d+):([^:]*):(.*)$/.exec(line) ?? []);
  const [, , , own1] = paths.find(([, , names = ""]) => names.split(",").includes("memory")) ?? [];
  const [, , , own2] = paths.find(([, number, names]) => number === "0" && names === "") ?? [];
  return Math.min(
    own1 === undefined ? Number.POSITIVE_INFINITY : leastOf(root, first, own1),
    own2 === undefined ? Number.POSITIVE_INFINITY : leastOf(root, second, own2),
  );
}

/** The least limit of the group and of all that it is in. */
function leastOf(root: string, { mount, limits }: Hierarchy, path: string): number {
  let least = Number.POSITIVE_INFINITY;
  // A path that leads out of the namespace begins with `..`: what is above the mount cannot be read.
  const names = normalize(`/${path}`).split("/").filter(Boolean);
  for (let depth = names.length; depth >= 0; depth--) {
    const group = join(root, mount, ...names.slice(0, depth));
    for (const limit of limits) {
      const [value = ""] = readLines(join(group, limit));
      if (/^\d+$/.test(value)) least = Math.min(least, Number(value));
    }
  }
  return least;
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, "utf8").split("\n");
  } catch {
    return [];
  }
}
