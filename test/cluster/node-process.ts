/** Starts nodes that can be killed and stopped. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { NodeSettings } from "./world.ts";

const nodeFile = fileURLToPath(new URL("./node.ts", import.meta.url));

export interface NodeProcess extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  signal(signal: NodeJS.Signals): void;
}

export async function startNodeProcess(settings: NodeSettings): Promise<NodeProcess> {
  const child = fork(nodeFile, { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const failed = once(child, "exit").then(([code]) => {
    throw new Error(`the node ended with ${code}`);
  });
  failed.catch(() => {});
  child.send(settings);
  const [{ port }] = (await Promise.race([once(child, "message"), failed])) as [{ port: number }];
  return {
    port,
    url: `ws://127.0.0.1:${port}/trpc`,
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
