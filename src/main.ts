/** `npm start`, and a container's command: serves the bots that ship. */
import { serveProcess } from "./serve/serve-process.ts";
import { shippedProgram } from "./serve/shipped-program.ts";

await serveProcess({ load: shippedProgram });
