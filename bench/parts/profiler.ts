/** Where a process spends its CPU: V8's sampling profiler, read by the steps of a token's way. */
import { writeFileSync } from "node:fs";
import { Session } from "node:inspector/promises";
import { countsForNothing, type Step, stepOf } from "./steps.ts";

const samplingUs = 250;

interface Node {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string };
  readonly children?: readonly number[];
}

interface Profile {
  readonly nodes: readonly Node[];
  readonly samples?: readonly number[];
  readonly timeDeltas?: readonly number[];
}

/** What part of the time that was not idle each step took: together 1. */
export type Shares = Partial<Record<Step, number>>;

let session: Session | undefined;

export async function startProfile(): Promise<void> {
  session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.setSamplingInterval", { interval: samplingUs });
  await session.post("Profiler.start");
}

/** @param path where the profile is kept as DevTools reads it, if anywhere */
export async function stopProfile(path?: string): Promise<Shares> {
  if (session === undefined) throw new Error("no profile was started");
  const { profile } = await session.post("Profiler.stop");
  session.disconnect();
  session = undefined;
  if (path !== undefined) writeFileSync(path, JSON.stringify(profile));
  return sharesOf(profile);
}

function sharesOf({ nodes, samples = [], timeDeltas = [] }: Profile): Shares {
  const steps = stepsOf(nodes);
  const times = new Map<Step, number>();
  let total = 0;
  for (const [index, sample] of samples.entries()) {
    const step = steps.get(sample);
    if (step === undefined) continue;
    const us = Math.max(0, timeDeltas[index] ?? 0);
    times.set(step, (times.get(step) ?? 0) + us);
    total += us;
  }
  return Object.fromEntries([...times].map(([step, us]) => [step, us / total]));
}

/** Each call's step, or else its caller's: what Node and V8 do is done for somebody. */
function stepsOf(nodes: readonly Node[]): Map<number, Step> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const steps = new Map<number, Step>();
  const [root] = nodes;
  const open: [node: Node, above: Step][] = root === undefined ? [] : [[root, "Node and V8"]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [node, above] = next;
    if (countsForNothing(node.callFrame)) continue;
    const step = stepOf(node.callFrame) ?? above;
    steps.set(node.id, step);
    for (const id of node.children ?? []) {
      const child = byId.get(id);
      if (child !== undefined) open.push([child, step]);
    }
  }
  return steps;
}
