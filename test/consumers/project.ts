/** An application that has installed the client alone, and the compilers and runtimes of this folder. */
import { fileURLToPath } from "node:url";
import { openPackedProject, type PackedProject } from "../packages/packed.ts";

/** What React's and the AI SDK's users have installed beside the client. */
const also = [
  ...["react", "react-dom", "@types/react", "csstype", "ai", "@ai-sdk/react", "ws", "@types/ws"],
];

export function openConsumer(): Promise<PackedProject> {
  return openPackedProject({ packages: ["langwire-client"], also });
}

/** A program of this folder's packages. */
export function ownProgram(path: string): string {
  return fileURLToPath(new URL(`node_modules/${path}`, import.meta.url));
}
