/** What the figures were measured on. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus, loadavg, release, totalmem } from "node:os";
import { dirname, join } from "node:path";

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  /** Of the minute before the first measure. */
  readonly loadAverage: number;
  readonly versions: Readonly<Record<string, string>>;
}

const measured = [
  "@langchain/core",
  "@langchain/openai",
  "openai",
  "ws",
  "@trpc/server",
  "superjson",
  "socket.io",
  "ai",
  "@ai-sdk/langchain",
  "@langchain/langgraph-api",
  "@langchain/langgraph",
  "@tanstack/ai",
  "resumable-stream",
];

/** Langwire runs on the main install, its peers on the bench's own: a ratio needs the same version. */
const shared = ["@langchain/core", "@langchain/openai", "openai", "ws", "@trpc/server"];

export function machine(): Machine {
  const versions = Object.fromEntries(measured.map((name) => [name, versionOf(name, ".")]));
  for (const name of shared) {
    const ours = versionOf(name, "..");
    if (ours === versions[name]) continue;
    throw new Error(`${name} is ${ours} in the main install and ${versions[name]} in bench/`);
  }
  const [first] = cpus();
  return {
    processor: first?.model ?? "unknown",
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    system: `Linux ${release()}`,
    node: process.version,
    loadAverage: loadavg()[0] ?? 0,
    versions,
  };
}

function versionOf(name: string, folder: string): string {
  const from = join(import.meta.dirname, "..", folder, "package.json");
  for (const path of createRequire(from).resolve.paths(name) ?? []) {
    try {
      const text = readFileSync(join(path, name, "package.json"), "utf8");
      return String(JSON.parse(text).version);
    } catch {
      // Not here: in the folder above.
    }
  }
  throw new Error(`${name} is not installed beside ${dirname(from)}: npm --prefix bench ci`);
}
