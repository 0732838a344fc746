/**
 * Notices that the npm that started this process has ended. npm hands SIGTERM to the shell that it runs a
 * script in and to nothing else, and dash, Debian's `sh`, ends of it without a word to what it runs: the
 * server would go on as nobody's child and keep its data folder.
 */
import { readFileSync } from "node:fs";

/** A process, and the one that started it: another one takes that one's place when it ends. */
interface Link {
  readonly pid: number;
  readonly parent: number;
}

/** What npm, pnpm and yarn tell a script of itself. */
const lifecycle = ["npm_lifecycle_event", "npm_lifecycle_script", "npm_package_json"] as const;
const lookEveryMs = 250;

/**
 * The processes from this one up to the npm whose script it is, of which no link may break. Without /proc
 * it is this process's own link. Empty where npm has no part in it, and where `setsid` has put the process
 * into a session of its own: whoever does that means it to stay.
 */
export type NpmLine = readonly Link[];

/** To be read early: an npm that has ended before is not known. */
export function npmLine(): NpmLine {
  if (process.env.npm_lifecycle_event === undefined) return [];
  const line: Link[] = [];
  let pid = process.pid;
  let parent = process.ppid;
  while (parent > 1 && isSameSession(pid, parent)) {
    line.push({ pid, parent });
    if (!isOfSameScript(parent)) break;
    pid = parent;
    parent = parentOf(pid) ?? 0;
  }
  return line;
}

/** Calls `gone` once, when a link of it has broken. It does not keep the process. */
export function whenBroken(line: NpmLine, gone: () => void): void {
  if (line.length === 0) return;
  const looking = setInterval(() => {
    if (line.every(({ pid, parent }) => parentOf(pid) === parent)) return;
    clearInterval(looking);
    gone();
  }, lookEveryMs);
  looking.unref();
}

/** Of another process, it can be told on Linux only. */
function parentOf(pid: number): number | undefined {
  if (pid === process.pid) return process.ppid;
  const [, parent] = statOf(pid);
  return parent === undefined ? undefined : Number(parent);
}

function isSameSession(one: number, other: number): boolean {
  return statOf(one)[3] === statOf(other)[3];
}

/** Its state, parent, process group, session and so on; nothing of what cannot be read. */
function statOf(pid: number): readonly string[] {
  const text = read(`/proc/${pid}/stat`);
  // Before it is the program's name in brackets, which may be anything.
  return text === undefined ? [] : text.slice(text.lastIndexOf(")") + 2).split(" ");
}

function isOfSameScript(pid: number): boolean {
  const environment = read(`/proc/${pid}/environ`)?.split("\0");
  return lifecycle.every((name) => {
    const value = process.env[name];
    return value === undefined || environment?.includes(`${name}=${value}`);
  });
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
