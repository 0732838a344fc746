/** Where a process spends its CPU: V8's sampling profiler, and what it found by package and file. */
import { writeFileSync } from "node:fs";
import { Session } from "node:inspector/promises";

const samplingUs = 250;

interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
  }[];
  readonly samples?: readonly number[];
  readonly timeDeltas?: readonly number[];
}

/** Self time in µs, by what the code belongs to and then by function. */
export type SelfTimes = Record<string, Record<string, number>>;

let session: Session | undefined;

export async function startProfile(): Promise<void> {
  session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.setSamplingInterval", { interval: samplingUs });
  await session.post("Profiler.start");
}

/** @param path where the profile is kept as DevTools reads it, if anywhere */
export async function stopProfile(path?: string): Promise<SelfTimes> {
  if (session === undefined) throw new Error("no profile was started");
  const { profile } = await session.post("Profiler.stop");
  session.disconnect();
  session = undefined;
  if (path !== undefined) writeFileSync(path, JSON.stringify(profile));
  return selfTimes(profile);
}

function selfTimes({ nodes, samples = [], timeDeltas = [] }: Profile): SelfTimes {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const times: SelfTimes = Object.create(null);
  for (const [index, sample] of samples.entries()) {
    const node = byId.get(sample);
    if (node === undefined) continue;
    const { functionName, url } = node.callFrame;
    const owner = ownerOf(url, functionName);
    if (owner === undefined) continue;
    times[owner] ??= Object.create(null) as Record<string, number>;
    const name = functionName === "" ? "(anonymous)" : functionName;
    times[owner][name] = (times[owner][name] ?? 0) + Math.max(0, timeDeltas[index] ?? 0);
  }
  return times;
}

/** Nothing for the profiler's own switch. */
function ownerOf(url: string, functionName: string): string | undefined {
  if (url === "node:inspector") return undefined;
  if (functionName === "(garbage collector)") return "garbage collection";
  if (functionName === "(idle)") return "idle";
  if (functionName === "(program)") return "outside of JavaScript";
  const [, inPackage] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url) ?? [];
  if (inPackage !== undefined) return inPackage;
  if (url.startsWith("node:internal/deps/undici")) return "undici (built in)";
  if (url.startsWith("node:")) return "Node";
  if (url === "") return "V8 and native";
  const [, own] = /\/((?:src|bench)\/.*)/.exec(url) ?? [];
  return own ?? url;
}
