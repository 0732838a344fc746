/** A program in files: found, with its settings, and loaded as often as its files change. */
import { relative, resolve } from "node:path";
import type { Logger } from "pino";
import type { Bot, Memory } from "../../bots/bot.ts";
import { describeThrown } from "../../bots/failures/thrown.ts";
import type { Settings } from "../../config/settings.ts";
import { type Program, ProgramError } from "../../serve/program.ts";
import { EnvironmentFiles } from "./environment-files.ts";
import { exportedBots } from "./exported-bots.ts";
import { findProgram, type ProgramFile, placesIn } from "./find-program.ts";
import { langgraphBot } from "./langgraph-bots.ts";
import { type LanggraphConfig, readLanggraphJson } from "./langgraph-json.ts";
import { ProgramModules } from "./program-modules.ts";

type Module = Readonly<Record<string, unknown>>;
type Loading = Pick<Logger, "info" | "warn">;

const dotEnv = ".env";

export class ProgramSource implements Disposable {
  readonly #modules = new ProgramModules();
  readonly #environment: EnvironmentFiles;
  readonly #named: string | undefined;
  /** Which bots there were, and in which file, when they were told last. */
  #told = "";

  /**
   * @param named a file or a folder; without one, the current folder
   * @param environment such as `process.env`
   */
  constructor(named: string | undefined, environment: NodeJS.ProcessEnv) {
    this.#named = named;
    this.#environment = new EnvironmentFiles(environment);
    const places = named === undefined ? placesIn(".") : [named, ...placesIn(named)];
    for (const place of [dotEnv, ...places]) this.#modules.graph.add(resolve(place));
  }

  /** Every file that the program depends on, also those that are not there and may be made. */
  get files(): Iterable<string> {
    return this.#modules.graph.files;
  }

  /**
   * Looks at the files again.
   * @returns those that have changed, which the next `load` loads anew, with all that import them
   */
  changed(): readonly string[] {
    const changed = this.#modules.graph.changed();
    const isSetting = (file: string) => file === resolve(dotEnv) || file === this.#envFile();
    // Which module reads which variable, nobody knows.
    this.#modules.invalidate(changed.some(isSetting) ? this.files : changed);
    return changed;
  }

  /**
   * Puts `.env` of the current folder, and what langgraph.json has of settings, into the environment.
   * @throws ProgramError
   */
  readSettings(): void {
    const { env } = this.#find().langgraph ?? {};
    if (typeof env === "string") this.#modules.graph.add(env);
    this.#environment.apply([dotEnv, ...(env === undefined ? [] : [env])]);
  }

  /**
   * @returns undefined when no file is named, and the current folder has none
   * @throws ProgramError
   */
  async load(settings: Settings, logger: Loading): Promise<Program | undefined> {
    const { found, langgraph } = this.#find();
    if (found === undefined) return undefined;
    const { MEMORY_EXCHANGES: k, MODEL_CONTEXT_TOKENS: contextTokens } = settings;
    const memory = { k, ...(contextTokens !== undefined && { contextTokens }) };
    if (langgraph === undefined) {
      const program = await this.#ofModule(found.file, { memory, logger });
      this.#tell(program, found.file, logger);
      return program;
    }
    refuseAuth(found.file, { langgraph, settings });
    const { ignored } = langgraph;
    if (ignored.length > 0) {
      logger.warn({ file: found.file, fields: ignored }, "fields that Langwire does not act on");
    }
    const bots: Bot[] = [];
    for (const graph of langgraph.graphs) {
      const module = await this.#module(graph.file);
      bots.push(await langgraphBot(graph, { module, memory }));
    }
    if (bots.length === 0) throw new ProgramError(`${found.file} has no graphs.`);
    this.#tell({ bots }, found.file, logger);
    return { bots };
  }

  /** Names the bots, where they are not those of the last time. */
  #tell({ bots }: Program, path: string, logger: Loading): void {
    const facts = { file: relative(".", path), bots: bots.map(({ id }) => id) };
    const told = JSON.stringify(facts);
    if (told !== this.#told) logger.info(facts, "serves these bots");
    this.#told = told;
  }

  [Symbol.dispose](): void {
    this.#modules[Symbol.dispose]();
  }

  async #ofModule(
    file: string,
    { memory, logger }: { readonly memory: Memory; readonly logger: Loading },
  ): Promise<Program> {
    const module = await this.#module(file);
    const { bots, others } = await exportedBots(module, { file, memory });
    if (bots.length === 0) throw new ProgramError(noBots(file, others));
    if (others.length > 0) logger.info({ file, exports: others }, "exports that are no bots");
    const { authenticate, limitsOf } = module;
    if (authenticate !== undefined && !isAuthenticate(authenticate)) {
      throw new ProgramError(`${file}: authenticate must be a function of a request.`);
    }
    if (limitsOf !== undefined && !isLimitsOf(limitsOf)) {
      throw new ProgramError(`${file}: limitsOf must be a function of a caller.`);
    }
    return { bots, ...(authenticate && { authenticate }), ...(limitsOf && { limitsOf }) };
  }

  async #module(file: string): Promise<Module> {
    try {
      return await this.#modules.load(file);
    } catch (cause) {
      if (cause instanceof ProgramError) throw cause;
      throw new ProgramError(`${file} cannot be loaded.\n${describeThrown(cause)}`, { cause });
    }
  }

  #find(): { found?: ProgramFile | undefined; langgraph?: LanggraphConfig } {
    const found = findProgram(this.#named);
    if (found?.kind !== "langgraph") return { found };
    this.#modules.graph.add(found.file);
    return { found, langgraph: readLanggraphJson(found.file) };
  }

  #envFile(): string | undefined {
    try {
      const { env } = this.#find().langgraph ?? {};
      return typeof env === "string" ? env : undefined;
    } catch {
      // It is said when the program is loaded.
      return undefined;
    }
  }
}

const isAuthenticate = (value: unknown): value is Program["authenticate"] & object =>
  typeof value === "function";
const isLimitsOf = (value: unknown): value is Program["limitsOf"] & object =>
  typeof value === "function";

/** Without it, whoever reaches the server would be let in. */
function refuseAuth(
  file: string,
  { langgraph, settings }: { readonly langgraph: LanggraphConfig; readonly settings: Settings },
): void {
  const { AUTH_SECRET, AUTH_JWKS_URL } = settings;
  if (!langgraph.hasAuth || AUTH_SECRET !== undefined || AUTH_JWKS_URL !== undefined) return;
  throw new ProgramError(
    `${file}: its auth is code of LangGraph's, which Langwire does not call: set AUTH_SECRET or ` +
      "AUTH_JWKS_URL, or serve a module that exports the graphs and an `authenticate` of its own.",
  );
}

function noBots(file: string, others: readonly string[]): string {
  const instead = others.length === 0 ? "" : ` It exports ${others.join(", ")}.`;
  return `${file} exports no bots: \`export const chat = defineBot(…)\` is one, and so is an agent, a graph or any other runnable.${instead}`;
}
