/** The package's command from its sources, for guides that are followed with linked packages. */
import { langwire } from "../../src/cli/langwire.ts";

await langwire(process.argv.slice(2));
