/** Settings out of files, for what the environment itself does not set. */
import { readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import { ProgramError } from "../../serve/program.ts";

type Values = Readonly<Record<string, string | undefined>>;

export class EnvironmentFiles {
  readonly #environment: NodeJS.ProcessEnv;
  /** What was set before any file was read: it stays as it is. */
  readonly #given: ReadonlySet<string>;
  #fromFiles: ReadonlySet<string> = new Set();

  /** @param environment such as `process.env`: the files' values are put into it */
  constructor(environment: NodeJS.ProcessEnv) {
    this.#environment = environment;
    this.#given = new Set(Object.keys(environment));
  }

  /**
   * Puts the values of these in place of those of the time before.
   * @param sources files, or values themselves; the first that has a name decides
   * @returns the files that are not there
   * @throws ProgramError that names a file that cannot be read
   */
  apply(sources: readonly (string | Values)[]): string[] {
    const missing: string[] = [];
    const values: Record<string, string> = {};
    for (const source of sources) {
      const found = typeof source === "string" ? valuesOf(source) : source;
      if (found === undefined) missing.push(String(source));
      for (const [name, value] of Object.entries(found ?? {})) {
        if (value !== undefined && !this.#given.has(name)) values[name] ??= value;
      }
    }
    for (const name of this.#fromFiles) delete this.#environment[name];
    Object.assign(this.#environment, values);
    this.#fromFiles = new Set(Object.keys(values));
    return missing;
  }
}

function valuesOf(file: string): Values | undefined {
  try {
    return parseEnv(readFileSync(file, "utf8"));
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ProgramError(`${file} cannot be read: ${reason}`, { cause });
  }
}
