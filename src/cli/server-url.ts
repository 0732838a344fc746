/** Where the server of the current folder listens, for the commands that ask it. */
import { EnvironmentFiles } from "./program/environment-files.ts";

/** Reads `.env` of the current folder into the environment, as `langwire start` does. */
export function readDotEnv(): void {
  new EnvironmentFiles(process.env).apply([".env"]);
}

/**
 * @param args of a command that takes `--url`
 * @param url where the command looks without one
 * @returns the same, and the port of the settings where they name one; a `--url` in `args` counts more
 */
export function withOwnPort(args: readonly string[], url: string): readonly string[] {
  const port = Number(process.env.PORT);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return args;
  const own = new URL(url);
  own.port = String(port);
  return ["--url", own.href, ...args];
}
