/**
 * Builds the chat page into `dist/page`, where the server looks for it, with each file compressed
 * beside itself.
 *
 *   node client/page/build.ts [--out <folder>] [--if-possible]
 *
 * With `--if-possible`, as `npm ci` runs it, an installation without what builds the page is left as
 * it is: a server without a page is still a server.
 */
import { parseArgs } from "node:util";
import type { InlineConfig } from "vite";
import { compressAll } from "./compress.ts";

const { values } = parseArgs({
  options: { out: { type: "string" }, "if-possible": { type: "boolean", default: false } },
});

if (values["if-possible"] && !(await isInstalled("vite"))) {
  console.log("The chat page is not built: Vite is not installed.");
} else {
  const refusal = vitesRefusal(import.meta.dirname);
  if (refusal === undefined) await compressAll(await buildPage(values.out));
  else {
    console.error(`The chat page is not built: ${refusal}`);
    if (!values["if-possible"]) process.exitCode = 1;
  }
}

/** Vite takes what follows these signs in a path for a part of a URL, and fails in words of its own. */
function vitesRefusal(folder: string): string | undefined {
  const sign = /[#?]/.exec(folder)?.[0];
  if (sign === undefined) return undefined;
  return `Vite builds nothing in a folder whose path has a ${sign}. Move ${folder} elsewhere.`;
}

/** @returns the folder that the page is in */
async function buildPage(given: string | undefined): Promise<string> {
  const { build } = await import("vite");
  const { default: config, pageDir } = await import("./vite.config.ts");
  const outDir = given ?? pageDir;
  const where: InlineConfig = { ...config, build: { ...config.build, outDir } };
  await build({ ...where, configFile: false, logLevel: "warn" });
  return outDir;
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
