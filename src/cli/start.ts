/** `langwire start`: serves the bots of a file, or of the current folder, or those that ship. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { NpmLine } from "../serve/npm-line.ts";
import type { LoadProgram } from "../serve/program.ts";
import { serveProcess } from "../serve/serve-process.ts";
import { ProgramSource } from "./program/program-source.ts";
import { WrongUsage } from "./wrong-usage.ts";

export interface StartOptions {
  /** A file or a folder. */
  readonly program: string | undefined;
  readonly port: string | undefined;
  readonly startedBy: NpmLine;
  /** Default: Langwire's own page. */
  readonly pageDir: string | undefined;
}

/** @throws WrongUsage where there is no page to serve */
export async function start({ program, port, startedBy, pageDir }: StartOptions): Promise<void> {
  if (pageDir !== undefined && !existsSync(join(pageDir, "index.html"))) {
    throw new WrongUsage(`There is no page in ${pageDir}: it has no index.html. Build it first.`);
  }
  const source = new ProgramSource(program, process.env);
  source.readSettings();
  if (port !== undefined) process.env.PORT = port;
  const load: LoadProgram = async (settings, logger) =>
    (await source.load(settings, logger)) ?? (await shipped(settings, logger));
  await serveProcess({ load, startedBy, pageDir });
}

/** Only where they are wanted: they bring along what a program of one's own may not need. */
export const shipped: LoadProgram = async (settings, logger) => {
  const { shippedProgram } = await import("../serve/shipped-program.ts");
  const program = await shippedProgram(settings, logger);
  logger.info(
    { bots: program.bots.map(({ id }) => id) },
    "The bots that ship are served. Bots of your own: export them from bots.ts in this folder, or begin a project by npm create langwire.",
  );
  return program;
};
