/**
 * One process at a time in a data folder. A second one would take the first one's runs in progress
 * for left behind, and end them. The operating system gives the lock back, however a process ends.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { LangwireError } from "../protocol/errors.ts";

const lockFile = "langwire.lock";

/** @throws LangwireError STORE_UNAVAILABLE when it cannot be written to, or is taken */
export async function takeFolder(folder: string): Promise<Disposable> {
  let lock: DatabaseSync | undefined;
  try {
    await mkdir(folder, { recursive: true });
    lock = new DatabaseSync(join(folder, lockFile));
    lock.exec("begin exclusive");
  } catch (error) {
    lock?.close();
    const why = "the folder cannot be written to, or another process uses it";
    throw new LangwireError("STORE_UNAVAILABLE", { cause: new Error(why, { cause: error }) });
  }
  return { [Symbol.dispose]: () => lock.close() };
}
