/**
 * Locks a data folder for one process. A second one would take the runs in progress of the first for
 * left behind, and end them. The operating system releases the lock, however a process ends.
 */
import { mkdir, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { isBusy } from "../store/errors.ts";
import { DatabaseSync } from "../store/sqlite/node-sqlite.ts";
import { fileFailure, storageFailure } from "./storage-failure.ts";

const lockFile = "langwire.lock";

/** @throws LangwireError STORE_UNAVAILABLE, with the reason as its cause's message */
export async function lockFolder(folder: string): Promise<Disposable> {
  const path = join(folder, lockFile);
  let lock: DatabaseSync | undefined;
  try {
    await makeFolder(resolve(folder));
    lock = new DatabaseSync(path);
    lock.exec("begin exclusive");
  } catch (error) {
    lock?.close();
    if (isBusy(error)) {
      const why = "another process uses the folder: stop it, or give this one a folder of its own";
      throw storageFailure(why, error, `${resolve(folder)}: ${why}`);
    }
    throw fileFailure(error, { path, loss: "nothing" });
  }
  return { [Symbol.dispose]: () => lock.close() };
}

/**
 * With the folders that it is in, one after the other: `recursive`, Node.js asks for ever where a file
 * system takes no folder and says that there is none, as `/proc` does.
 */
async function makeFolder(path: string): Promise<void> {
  if (await isFolder(path)) return;
  if (dirname(path) !== path) await makeFolder(dirname(path));
  await mkdir(path).catch(async (error: unknown) => {
    // Another process was quicker.
    if (!(await isFolder(path))) throw error;
  });
}

async function isFolder(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
