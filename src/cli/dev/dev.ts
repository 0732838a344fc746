/**
 * `langwire dev`: serves a program while it is written. When a file of it changes, its bots are replaced
 * in the running server: conversations and sockets stay, and a run goes on with the bot that it began
 * with. A program that cannot be loaded changes nothing, and is told in the terminal.
 */
import { relative } from "node:path";
import type { Logger } from "pino";
import { ConfigError, readSettings } from "../../config/read-settings.ts";
import type { Settings } from "../../config/settings.ts";
import type { NpmLine } from "../../serve/npm-line.ts";
import { type Program, ProgramError } from "../../serve/program.ts";
import { type ServingProcess, serveProcess } from "../../serve/serve-process.ts";
import { withoutSecrets } from "../../server/logging/redaction.ts";
import { secretsIn } from "../../server/logging/secrets.ts";
import { ProgramSource } from "../program/program-source.ts";
import { shipped } from "../start.ts";
import { FileWatch } from "./file-watch.ts";
import { hasBrowser, openBrowser } from "./open-browser.ts";

export interface DevOptions {
  /** A file or a folder. */
  readonly program: string | undefined;
  readonly port: string | undefined;
  readonly startedBy: NpmLine;
  /** Whether the page is opened in a browser, where there is somebody to see it. */
  readonly open: boolean;
}

export async function dev({ program, port, startedBy, open }: DevOptions): Promise<void> {
  const developed = new DevelopedProgram(program, port);
  developed.readSettings();
  const started = await serveProcess({
    dev: true,
    startedBy,
    load: (settings, logger) => developed.firstLoad(settings, logger),
  });
  developed.reloadInto(started);
  if (hasBrowser(open, process.env, process.stdout.isTTY)) openBrowser(started.serving.url);
}

class DevelopedProgram {
  readonly #source: ProgramSource;
  readonly #port: string | undefined;
  readonly #watch: FileWatch;
  #onChange = () => {};
  #settings: Settings | undefined;
  #current: Program = { bots: [] };

  constructor(named: string | undefined, port: string | undefined) {
    this.#source = new ProgramSource(named, process.env);
    this.#port = port;
    this.#watch = new FileWatch(() => this.#onChange());
    this.#watch.add(this.#source.files);
  }

  /** @throws ProgramError */
  readSettings(): void {
    this.#source.readSettings();
    if (this.#port !== undefined) process.env.PORT = this.#port;
  }

  /** Waits for a program that can be loaded, and tells why it waits. */
  async firstLoad(settings: Settings, logger: Logger): Promise<Program> {
    this.#settings = settings;
    for (let isLoaded = false; !isLoaded; ) {
      try {
        this.#current = await this.#load(settings, logger);
        isLoaded = true;
      } catch (error) {
        tell(error);
        process.stderr.write("Waiting for a change of it.\n");
        await this.#changed();
      }
    }
    const { authenticate, limitsOf } = this.#current;
    return {
      bots: this.#current.bots,
      // The one that there is when somebody calls.
      ...(authenticate && {
        authenticate: (request) => (this.#current.authenticate ?? authenticate)(request),
      }),
      ...(limitsOf && { limitsOf: (caller) => (this.#current.limitsOf ?? limitsOf)(caller) }),
    };
  }

  /** Settles when a file is not what it was, and the settings can be read. */
  async #changed(): Promise<void> {
    // A watch does not keep the process.
    const waiting = setInterval(() => {}, 2 ** 30);
    for (let isReady = false; !isReady; ) {
      const changed = Promise.withResolvers<void>();
      this.#onChange = changed.resolve;
      // It may have changed while nobody waited.
      const files = this.#source.changed();
      try {
        if (files.length > 0) this.readSettings();
        isReady = files.length > 0;
      } catch (error) {
        tell(error);
      }
      if (!isReady) await changed.promise;
    }
    clearInterval(waiting);
  }

  /** From now on, what changes is loaded and takes the place of what there was. */
  reloadInto(started: ServingProcess): void {
    let reloading = Promise.resolve();
    this.#onChange = () => {
      reloading = reloading.then(() => this.#reload(started)).catch(tell);
    };
    // What has changed while it started.
    this.#onChange();
  }

  async #reload({ serving, logger }: ServingProcess): Promise<void> {
    const files = this.#source.changed().map((file) => relative(".", file));
    if (files.length === 0) return;
    this.readSettings();
    const settings = readSettings(process.env);
    const program = await this.#load(settings, logger);
    serving.langwire.bots.replace(program.bots);
    const later = changedSettings(this.#settings, settings);
    this.#settings = settings;
    if (later.length > 0) logger.warn({ settings: later }, "take effect at the next start");
    if ((program.authenticate === undefined) !== (this.#current.authenticate === undefined)) {
      logger.warn("authenticate was added or removed, which takes effect at the next start");
    }
    this.#current = program;
    logger.info({ files }, "loaded anew");
  }

  async #load(settings: Settings, logger: Logger): Promise<Program> {
    try {
      return (await this.#source.load(settings, logger)) ?? (await shipped(settings, logger));
    } finally {
      this.#watch.add(this.#source.files);
    }
  }
}

/** @throws what is no fault of the program or its settings */
function tell(error: unknown): void {
  if (!(error instanceof ProgramError) && !(error instanceof ConfigError)) throw error;
  process.stderr.write(`${withoutSecrets(error.message, secretsIn(process.env))}\n`);
}

/** What programs are made with, and so are made anew with. */
const settingsOfPrograms: ReadonlySet<string> = new Set<keyof Settings>([
  "MODEL",
  "OPENAI_API_KEY",
  "OPENAI_BASE_URL",
  "MEMORY_EXCHANGES",
  "MODEL_CONTEXT_TOKENS",
]);

/** Those that the running server goes on without. */
function changedSettings(before: Settings | undefined, now: Settings): string[] {
  if (before === undefined) return [];
  const values = new Map<string, unknown>(Object.entries(before));
  return Object.entries(now)
    .filter(([name, value]) => String(values.get(name)) !== String(value))
    .map(([name]) => name)
    .filter((name) => !settingsOfPrograms.has(name));
}
