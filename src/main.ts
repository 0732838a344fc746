/** `npm start`, and a container's command: serves the bots that ship. */
import { holdYoungGeneration } from "./serve/young-generation.ts";

holdYoungGeneration();
const { serveProcess } = await import("./serve/serve-process.ts");
const { shippedProgram } = await import("./serve/shipped-program.ts");

await serveProcess({ load: shippedProgram });
