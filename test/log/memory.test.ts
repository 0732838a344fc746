import { MemoryLog } from "../../src/log/memory-log.ts";
import { describeLog } from "./log-contract.ts";

describeLog("memory", async (bounds) => new MemoryLog({ bounds }));
