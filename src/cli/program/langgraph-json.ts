/** LangGraph's configuration, langgraph.json: its graphs are bots, its `env` the settings. */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { z } from "zod";
import { ProgramError } from "../../serve/program.ts";

const graph = z.union([
  z.string(),
  z.object({ path: z.string(), description: z.string().optional() }),
]);

const shape = z.looseObject({
  graphs: z.record(z.string(), graph),
  env: z.union([z.string(), z.record(z.string(), z.coerce.string())]).optional(),
});

export interface LanggraphConfig {
  readonly graphs: readonly LanggraphGraph[];
  /** A file of settings, or the settings themselves. */
  readonly env: string | Readonly<Record<string, string>> | undefined;
  /** What it says besides that Langwire does not act on. */
  readonly ignored: readonly string[];
  /** Whether it names code that says who may call, which Langwire would not ask. */
  readonly hasAuth: boolean;
}

export interface LanggraphGraph {
  readonly id: string;
  readonly file: string;
  readonly exportName: string;
  readonly description: string | undefined;
}

/** How a container is built, and with what: nothing that a running server would do. */
const ofBuilds: ReadonlySet<string> = new Set([
  ...["$schema", "node_version", "python_version", "dependencies"],
  ...["dockerfile_lines", "image_distro", "base_image", "api_version", "pip_installer"],
  ...["pip_config_file", "keep_pkg_tools", "_INTERNAL_docker_tag"],
]);

/** @throws ProgramError that names the file, and what is wrong with it */
export function readLanggraphJson(file: string): LanggraphConfig {
  const parsed = shape.safeParse(jsonOf(file));
  if (!parsed.success) throw new ProgramError(`${file}: ${z.prettifyError(parsed.error)}`);
  const { graphs, env, ...rest } = parsed.data;
  const folder = dirname(file);
  return {
    graphs: Object.entries(graphs).map(([id, said]) => {
      const { path, description } = typeof said === "string" ? { path: said } : said;
      return { id, description, ...locationOf({ file, folder, id, path }) };
    }),
    env: typeof env === "string" ? resolve(folder, env) : env,
    ignored: Object.keys(rest).filter((name) => !ofBuilds.has(name)),
    hasAuth: rest.auth !== undefined,
  };
}

function jsonOf(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ProgramError(`${file} cannot be read: ${reason}`, { cause });
  }
}

interface Location {
  readonly file: string;
  readonly folder: string;
  readonly id: string;
  readonly path: string;
}

/** Of `path:export`. A path of Windows has a colon of its own. */
function locationOf({ file, folder, id, path }: Location) {
  const [, module = path, exportName = "default"] = /^(.+[^:\\/]):([^:\\/]+)$/.exec(path) ?? [];
  if (/\.py$/.test(module)) {
    throw new ProgramError(
      `${file}: ${id} is written in Python (${path}), which Langwire does not run.`,
    );
  }
  return { file: resolve(folder, module), exportName };
}
