/** Settings that turn out wrong only when used: a port that is taken, a folder that is read-only. */
import { ConfigError } from "../config/read-settings.ts";
import type { Settings } from "../config/settings.ts";
import { MissingPackageError } from "../open/optional-package.ts";
import { LangwireError } from "../protocol/errors.ts";

/** For `catch`: names the setting. */
export function wrongSetting(name: keyof Settings, value: string | number) {
  return (cause: unknown): never => {
    throw new ConfigError([`${name} is ${JSON.stringify(value)}: ${reasonOf(cause)}`]);
  };
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
