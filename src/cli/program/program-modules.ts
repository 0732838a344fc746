/**
 * Loads a program's own modules, those outside of node_modules: TypeScript as JavaScript, imports as
 * TypeScript means them, and anew when they have changed. They are Node.js's modules like any other, so
 * packages are loaded once, and are the same that Langwire uses.
 *
 * What has changed is loaded under another address, `bots.ts?langwire=2`. Node.js keeps every module that
 * it has loaded, so each reload costs the memory of what was loaded anew, until the process ends.
 */
import { readFileSync } from "node:fs";
import {
  createRequire,
  type LoadHookSync,
  type ResolveHookContext,
  type ResolveHookSync,
  registerHooks,
  setSourceMapsSupport,
} from "node:module";
import { dirname, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { ModuleGraph } from "./module-graph.ts";
import { ImportResolver, isFile, TsconfigError } from "./resolve-import.ts";
import { hasDecorators, isTypeScript, javascriptOf } from "./typescript.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
/** Langwire's own files are no program's, where they are not in node_modules: in a checkout. */
const langwireFolders = ["src", "dist", "client"].map((name) => `${root}${name}${sep}`);
const versionKey = "langwire";

type Module = Readonly<Record<string, unknown>>;

export class ProgramModules implements Disposable {
  readonly graph = new ModuleGraph();
  readonly #resolver = new ImportResolver();
  readonly #required = createRequire(import.meta.url).cache;
  readonly #hooks: { deregister(): void };

  constructor() {
    setSourceMapsSupport(true, { nodeModules: false, generatedCode: false });
    this.#hooks = registerHooks({
      resolve: (...asked) => this.#resolve(...asked),
      load: (...asked) => this.#load(...asked),
    });
  }

  /** @throws whatever the module throws, and what is wrong with it */
  async load(file: string): Promise<Module> {
    this.graph.add(file);
    try {
      return await import(this.#addressOf(pathToFileURL(file).href, file));
    } catch (cause) {
      if (cause instanceof SyntaxError) this.#findSyntaxError();
      throw cause;
    }
  }

  /** From now on these are loaded anew, and what imports them. */
  invalidate(files: Iterable<string>): void {
    for (const file of this.graph.invalidate(files)) delete this.#required[file];
  }

  /** Modules that are loaded stay as they are. */
  [Symbol.dispose](): void {
    this.#hooks.deregister();
  }

  #resolve(...[specifier, context, next]: Parameters<ResolveHookSync>) {
    const importer = programFile(context.parentURL);
    if (importer === undefined) return next(specifier, context);
    const candidates = this.#candidates(specifier, importer);
    const found = candidates.find(isFile);
    let resolved: ReturnType<ResolveHookSync>;
    try {
      resolved = next(found === undefined ? specifier : nameOf(found, context), context);
    } catch (cause) {
      // One of these may be made yet.
      for (const missing of candidates) this.graph.add(missing, importer);
      throw cause;
    }
    const file = programFile(resolved.url);
    if (file === undefined) return resolved;
    this.graph.add(file, importer);
    return { ...resolved, url: this.#addressOf(resolved.url, file) };
  }

  #candidates(specifier: string, importer: string): string[] {
    try {
      return this.#resolver.candidates(specifier, importer);
    } catch (cause) {
      if (cause instanceof TsconfigError) this.graph.add(cause.file, importer);
      throw cause;
    }
  }

  #load(...[url, context, next]: Parameters<LoadHookSync>): ReturnType<LoadHookSync> {
    const file = programFile(url);
    if (file === undefined) return next(url, context);
    if (isTypeScript(file)) {
      const format = /\.cts$/.test(file) ? "commonjs" : "module";
      return { format, source: javascriptOf(file), shortCircuit: true };
    }
    const format = isModuleByItsText(file) ? "module" : context.format;
    return next(url, { ...context, format });
  }

  /**
   * Node.js tells what is wrong, and not where.
   * @throws SyntaxError that names the place, where there is a file that cannot be parsed
   */
  #findSyntaxError(): void {
    for (const file of this.graph.files) {
      if (!/\.[mc]?[jt]sx?$/.test(file) || !isFile(file)) continue;
      if (hasDecorators(javascriptOf(file))) {
        throw new SyntaxError(`${file} has decorators, which Node.js cannot run`);
      }
    }
  }

  #addressOf(url: string, file: string): string {
    const version = this.graph.version(file);
    if (version === 0) return url;
    const address = new URL(url);
    address.searchParams.set(versionKey, String(version));
    return address.href;
  }
}

/** `require` takes a path, and `import` an address. */
function nameOf(file: string, { conditions }: ResolveHookContext): string {
  return conditions.includes("require") ? file : pathToFileURL(file).href;
}

/**
 * Whether a file of JavaScript is an ES module whatever its package.json says, or does not say: Node.js
 * takes it for one of CommonJS first, and of what is wrong in it then tells neither what nor where.
 */
function isModuleByItsText(file: string): boolean {
  if (!/\.jsx?$/.test(file)) return false;
  const text = readFileSync(file, "utf8");
  return /^[ \t]*(?:import|export)\b/m.test(text) && !/\b(?:module\.)?exports\b/.test(text);
}

/** The file of a module that is a program's own. */
function programFile(url: string | undefined): string | undefined {
  if (!url?.startsWith("file:")) return undefined;
  const file = fileURLToPath(new URL(url));
  if (`${dirname(file)}${sep}`.includes(`${sep}node_modules${sep}`)) return undefined;
  return langwireFolders.some((folder) => file.startsWith(folder)) ? undefined : file;
}
