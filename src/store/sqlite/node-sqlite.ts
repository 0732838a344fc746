/** What node:sqlite has: not imported by name, so that an older Node.js gets as far as open/require-node.ts. */
import type * as sqlite from "node:sqlite";

export const { DatabaseSync } = process.getBuiltinModule("node:sqlite");
export type DatabaseSync = sqlite.DatabaseSync;
