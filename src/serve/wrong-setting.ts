/** Settings that turn out wrong only when used: a port that is taken, a folder that is read-only. */
import { ConfigError } from "../config/read-settings.ts";
import type { Settings } from "../config/settings.ts";
import { MissingPackageError } from "../open/optional-package.ts";
import { LangwireError } from "../protocol/errors.ts";
import { isLoopback } from "../server/access/origins.ts";
import type { Program } from "./program.ts";

/** For `catch`: names the setting. */
export function wrongSetting(name: keyof Settings, value: string | number) {
  return (cause: unknown): never => {
    const isTaken = cause instanceof Error && "code" in cause && cause.code === "EADDRINUSE";
    const orByCommand = name === "PORT" ? ", or --port," : "";
    const reason = isTaken
      ? `another program listens there; set ${name}${orByCommand} to a free one`
      : reasonOf(cause);
    throw new ConfigError([`${name} is ${JSON.stringify(value)}: ${reason}`]);
  };
}

/**
 * Who says who is calling may be in the program, which is not there yet when the settings are read.
 * @throws ConfigError where whoever reaches the address would be let in as whoever they say
 */
export function refuseOpenAddress(settings: Settings, { authenticate }: Program): void {
  const { HOST, AUTH_SECRET, AUTH_JWKS_URL, ALLOW_ANONYMOUS } = settings;
  const isOpen = (authenticate ?? AUTH_SECRET ?? AUTH_JWKS_URL) === undefined && !ALLOW_ANONYMOUS;
  if (!isOpen || isLoopback(HOST)) return;
  throw new ConfigError([
    `HOST is ${JSON.stringify(HOST)}: must be a loopback address such as 127.0.0.1 while there is no ` +
      "authentication: set AUTH_SECRET or AUTH_JWKS_URL, export authenticate beside the bots, or set " +
      "ALLOW_ANONYMOUS=true to let in whoever reaches it",
  ]);
}

/** For `catch`. Database addresses carry passwords, so their error names the setting and the reason alone. */
export function noStorage(settings: Settings) {
  if (settings.DATABASE_URL === undefined) return wrongSetting("DATA_DIR", settings.DATA_DIR);
  const names = settings.REDIS_URL === undefined ? "DATABASE_URL" : "DATABASE_URL or REDIS_URL";
  return (cause: unknown): never => {
    if (cause instanceof MissingPackageError) {
      const { packageName } = cause;
      const neededBy = packageName === "redis" ? "REDIS_URL" : "DATABASE_URL";
      throw new ConfigError([new MissingPackageError({ packageName, neededBy }).message]);
    }
    throw new ConfigError([`${names} cannot be used: ${reasonOf(cause)}`]);
  };
}

function reasonOf(cause: unknown): string {
  const reason = cause instanceof LangwireError ? (cause.cause ?? cause) : cause;
  return reason instanceof Error ? reason.message : String(reason);
}
