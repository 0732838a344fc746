/** The limit of memory, out of the files of control groups as each layout has them. */
import { mkdir, mkdtempDisposable, rmdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { containerMemoryBytes } from "../../src/config/container-memory.ts";
import { startProgram } from "../support/child-process.ts";
import { memoryCgroup } from "../support/memory-cgroup.ts";

const mebibyte = 1024 * 1024;
/** What version 1 says for no limit. */
const unlimited1 = "9223372036854771712";

interface Layout {
  /** `/proc/self/cgroup` */
  readonly cgroup: string;
  /** Below `/sys/fs/cgroup`. */
  readonly files: Readonly<Record<string, string>>;
  readonly mebibytes: number;
}

const layouts: Readonly<Record<string, Layout>> = {
  "version 2: a container, its own group mounted": {
    cgroup: "0::/\n",
    files: { "memory.max": "536870912\n", "memory.high": "max\n" },
    mebibytes: 512,
  },
  "version 2: no limit": {
    cgroup: "0::/user.slice/session.scope\n",
    files: {
      "user.slice/memory.max": "max\n",
      "user.slice/session.scope/memory.max": "max\n",
      "user.slice/session.scope/memory.high": "max\n",
    },
    mebibytes: Number.POSITIVE_INFINITY,
  },
  "version 2: a unit in a slice, which has the limit": {
    cgroup: "0::/langwire.slice/langwire.service\n",
    files: {
      "langwire.slice/memory.max": "1073741824\n",
      "langwire.slice/langwire.service/memory.max": "max\n",
    },
    mebibytes: 1_024,
  },
  "version 2: a pod with less than its container": {
    cgroup: "0::/kubepods.slice/pod1.slice/cri-1.scope\n",
    files: {
      "kubepods.slice/memory.max": "8589934592\n",
      "kubepods.slice/pod1.slice/memory.max": "268435456\n",
      "kubepods.slice/pod1.slice/cri-1.scope/memory.max": "536870912\n",
    },
    mebibytes: 256,
  },
  "version 2: memory.high alone": {
    cgroup: "0::/langwire.service\n",
    files: {
      "langwire.service/memory.max": "max\n",
      "langwire.service/memory.high": "402653184\n",
    },
    mebibytes: 384,
  },
  "version 2: a container that is told the host's path": {
    cgroup: "0::/system.slice/docker-4f.scope\n",
    files: { "memory.max": "536870912\n" },
    mebibytes: 512,
  },
  "version 2: a path out of the namespace": {
    cgroup: "0::/../other.scope\n",
    files: { "memory.max": "max\n", "other.scope/memory.max": "536870912\n" },
    mebibytes: 512,
  },
  "version 2: an odd name": {
    cgroup: "0::/a:b c\\x2d.service\n",
    files: { "a:b c\\x2d.service/memory.max": "536870912\n" },
    mebibytes: 512,
  },
  "hybrid: memory belongs to version 1": {
    cgroup: "12:cpu,cpuacct:/unit\n7:memory:/unit\n1:name=systemd:/unit\n0::/unit\n",
    files: {
      "memory/unit/memory.limit_in_bytes": "536870912\n",
      "unified/unit/memory.max": "1\n",
      "cpu/unit/memory.limit_in_bytes": "1\n",
    },
    mebibytes: 512,
  },
  "version 1: a container that is told the host's path": {
    cgroup: "9:name=systemd:/docker/4f\n6:memory:/docker/4f\n",
    files: { "memory/memory.limit_in_bytes": "536870912\n" },
    mebibytes: 512,
  },
  "version 1: nested, the outer one has less": {
    cgroup: "6:hugetlb,memory:/pods/one\n",
    files: {
      "memory/memory.limit_in_bytes": `${unlimited1}\n`,
      "memory/pods/memory.limit_in_bytes": "268435456\n",
      "memory/pods/one/memory.limit_in_bytes": "536870912\n",
    },
    mebibytes: 256,
  },
  "files of another kind": {
    cgroup: "no groups\n0::\n",
    files: { "memory.max": "\n", "memory.high": "many\n" },
    mebibytes: Number.POSITIVE_INFINITY,
  },
};

test.each(Object.keys(layouts))("%s", async (name) => {
  const { cgroup, files, mebibytes } = layouts[name] ?? expect.unreachable();
  await using folder = await mkdtempDisposable(join(tmpdir(), "cgroup-"));
  const write = async (path: string, content: string) => {
    const file = join(folder.path, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  };
  await write("proc/self/cgroup", cgroup);
  for (const [path, content] of Object.entries(files)) {
    await write(join("sys/fs/cgroup", path), content);
  }
  expect(containerMemoryBytes(folder.path) / mebibyte).toBe(mebibytes);
});

test("without control groups nothing is limited", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "cgroup-"));
  expect(containerMemoryBytes(folder.path)).toBe(Number.POSITIVE_INFINITY);
});

test("of this machine's own control groups, the one around the process's counts", async () => {
  await using cgroup = await memoryCgroup(512 * mebibyte);
  const file = fileURLToPath(new URL("../../src/config/container-memory.ts", import.meta.url));
  const script = `import { containerMemoryBytes } from ${JSON.stringify(file)};
    console.log(containerMemoryBytes());`;
  // Where none may be made: whatever there is.
  const inner = cgroup && join(dirname(cgroup.processes), "inner");
  const enter = inner ? `mkdir ${inner} && echo $$ > ${inner}/cgroup.procs &&` : "";
  const args = ["-c", `${enter} exec "$@"`, "sh"];
  const node = [process.execPath, "--input-type=module-typescript", "-e", script];
  await using program = startProgram("sh", [...args, ...node]);
  expect(await program.exited, program.output).toBe(0);
  if (inner !== undefined) await rmdir(inner);
  const bytes = Number(program.output);
  if (inner === undefined) expect(bytes).toBeGreaterThan(0);
  else expect(bytes).toBe(512 * mebibyte);
});
