/**
 * Settings, from the environment alone; nothing else reads `process.env` but `createModel`, as providers'
 * clients do. The environment comes from files that others read (Node, Docker, systemd), and each leaves
 * something else of them in it: blanks, quotes, a byte order mark.
 */
import { isSecret } from "../server/logging/secrets.ts";
import { type Settings, settings } from "./settings.ts";

/** What is wrong with the settings, a line for each. */
export class ConfigError extends Error {
  constructor(lines: readonly string[]) {
    super(lines.join("\n"));
    this.name = "ConfigError";
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Not to be tidied: whoever signs tokens with it has it as it is written. */
const asWritten: keyof Settings = "AUTH_SECRET";

/**
 * @param environment such as `process.env`; an empty variable counts as not set
 * @throws ConfigError naming each wrong variable, what it was and what it may be
 */
export function readSettings(environment: Environment): Settings {
  const values = tidied(environment);
  const secret = values[asWritten];
  const parsed = settings.safeParse(values);
  const lines = (parsed.error?.issues ?? []).map(({ path, message }) => {
    const name = String(path[0]);
    return `${name} is ${shown(name, values[name])}: ${message}`;
  });
  if (secret !== undefined && secret !== tidy(secret)) {
    const message = "must not begin and end with blanks, line ends or quotes";
    lines.push(`${asWritten} is ${shown(asWritten, secret)}: ${message}`);
  }
  if (parsed.success && lines.length === 0) return parsed.data;
  throw new ConfigError(lines);
}

/**
 * Settings that are none: Kubernetes gives every container variables for each Service, so a Service
 * called `metrics` sets METRICS_PORT.
 */
export function serviceLinks(environment: Environment): string[] {
  return Object.keys(settings.shape).filter((name) => isServiceLink(name, environment[name] ?? ""));
}

function isServiceLink(name: string, value: string): boolean {
  return name.endsWith("_PORT") && /^(?:tcp|udp|sctp):\/\//.test(value);
}

function tidied(environment: Environment): Environment {
  const values: Record<string, string> = {};
  const names = Object.keys(environment);
  // Last those that are written as they should be: they count where a name is there twice.
  names.sort((one, other) => Number(one === tidyName(one)) - Number(other === tidyName(other)));
  for (const name of names) {
    const written = environment[name] ?? "";
    const meant = tidyName(name);
    const value = meant === asWritten ? written : tidy(written);
    if (value !== "" && !isServiceLink(meant, value)) values[meant] = value;
  }
  return values;
}

/** A file's first name may begin with the file's byte order mark. */
function tidyName(name: string): string {
  return name.replace(/^\ufeff/, "").trim();
}

function tidy(value: string): string {
  const trimmed = value.trim();
  return /^(["']).*\1$/s.test(trimmed) ? trimmed.slice(1, -1).trim() : trimmed;
}

function shown(name: string, value: string | undefined): string {
  if (value === undefined) {
    const { success, data } = settings.shape[name as keyof Settings].safeParse(undefined);
    return success && data !== undefined ? `${JSON.stringify(data)} by default` : "not set";
  }
  return isSecret(name, value) ? "(not shown)" : JSON.stringify(value);
}
