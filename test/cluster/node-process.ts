/** Starts nodes that can be killed, stopped and shut down. */
import { type ChildProcess, type ForkOptions, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { NodeSettings } from "./world.ts";

const nodeFile = fileURLToPath(new URL("./node.ts", import.meta.url));

export interface NodeProcess extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** Settles with the exit code or the signal by which it ended. */
  readonly exited: Promise<number | NodeJS.Signals>;
  signal(signal: NodeJS.Signals): void;
}

/** @param file what it runs, where that is not this version's */
export async function startNodeProcess(
  settings: NodeSettings,
  { file = nodeFile, ...options }: ForkOptions & { file?: string } = {},
): Promise<NodeProcess> {
  const stdio: ForkOptions["stdio"] = ["ignore", "ignore", "inherit", "ipc"];
  const child = fork(file, { stdio, ...options });
  const exited = once(child, "exit").then(([code, signal]) => code ?? signal);
  const failed = exited.then((how) => {
    throw new Error(`the node ended with ${how}`);
  });
  failed.catch(() => {});
  child.send(settings);
  const [{ port }] = (await Promise.race([once(child, "message"), failed])) as [{ port: number }];
  return {
    port,
    url: `ws://127.0.0.1:${port}/trpc`,
    exited,
    signal: (signal) => void child.kill(signal),
    [Symbol.asyncDispose]: () => end(child),
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}
