/** `npm start`, and a container's command: serves the bots that ship. */
import { prepareCollector } from "./serve/memory/collector.ts";
import { npmLine } from "./serve/npm-line.ts";

const startedBy = npmLine();
prepareCollector();
const { serveProcess } = await import("./serve/serve-process.ts");
const { shippedProgram } = await import("./serve/shipped-program.ts");

await serveProcess({ load: shippedProgram, startedBy });
