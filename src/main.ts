/** `npm start`, and a container's command: serves the bots that ship. */
import { prepareCollector } from "./serve/memory/collector.ts";

prepareCollector();
const { serveProcess } = await import("./serve/serve-process.ts");
const { shippedProgram } = await import("./serve/shipped-program.ts");

await serveProcess({ load: shippedProgram });
