/**
 * Builds the chat page into `dist/page`, where the server looks for it.
 *
 *   node client/page/build.ts [--out <folder>] [--if-possible]
 *
 * With `--if-possible`, as `npm ci` runs it, an installation without what builds the page is left as
 * it is: a server without a page is still a server.
 */
import { parseArgs } from "node:util";
import type { InlineConfig } from "vite";

const { values } = parseArgs({
  options: { out: { type: "string" }, "if-possible": { type: "boolean", default: false } },
});

if (values["if-possible"] && !(await isInstalled("vite"))) {
  console.log("The chat page is not built: Vite is not installed.");
} else {
  await buildPage(values.out);
}

async function buildPage(outDir: string | undefined): Promise<void> {
  const { build } = await import("vite");
  const { default: config }: { default: InlineConfig } = await import("./vite.config.ts");
  const { build: output } = config;
  const where = outDir === undefined ? output : { ...output, outDir };
  await build({ ...config, configFile: false, logLevel: "warn", build: where });
}

async function isInstalled(name: string): Promise<boolean> {
  try {
    await import(name);
    return true;
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ERR_MODULE_NOT_FOUND") {
      return false;
    }
    throw cause;
  }
}
