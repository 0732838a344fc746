/** Loaded into a server's process before its own code: tells the test what the process holds. */
import { memoryHeld } from "./memory.ts";

process.on("disconnect", () => process.exit());
process.on("message", () => process.send?.(memoryHeld()));
// The channel alone keeps no server from ending.
process.channel?.unref();
