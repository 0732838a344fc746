/**
 * Follows a guide as written, from an empty folder: writes its files, types its commands, and compares
 * what those print with what it says they print. Only the environment is a test's: where the model
 * provider is, and on which ports programs listen.
 */
import { join } from "node:path";
import { expect } from "vitest";
import { root } from "../docs/samples.ts";
import { type StartedProgram, startProgram } from "../support/child-process.ts";
import { freePort } from "../support/free-port.ts";
import { type GuideProject, openGuideProject } from "./guide-project.ts";
import { isPrinted, packagesIn, stepsOf } from "./guide-steps.ts";
import { openPackedGuideProject } from "./packed-guide-project.ts";

export interface FollowedGuide extends AsyncDisposable {
  readonly folder: string;
  /** The port of this test that stands for one of the guide's. */
  portOf(port: number): Promise<number>;
  /** Everything that the programs which still run have printed. */
  readonly log: string;
}

/** Programs that go on until they are stopped, and what they print when others can come. */
const servers =
  /^(?:[A-Z_]+=\S+ )*(?:npx (?:langwire (?:dev|start)|next start|vite)\b|node (?:--env-file=\.env )?(?:server|site)\.ts\b)/;
const listening = /listening|open http|Local: |Ready in/i;
const ports = /(?<=(?:127\.0\.0\.1|localhost):|\bPORT=|--port |\blisten\()(\d{4,5})\b/g;

export interface FollowOptions {
  /** Where the mock provider is, say, in the variables that its package reads. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default: the packages are linked sources. What bundles them needs them as npm would install them. */
  readonly packed?: boolean;
  /** Called before each file and command: what the reader looks at, or stops, before going on to it. */
  readonly before?: (fileOrCommand: string, guide: Follower) => Promise<void>;
}

export const followGuide = (name: string, options?: FollowOptions): Promise<FollowedGuide> =>
  followDocument(`docs/guides/${name}.md`, options);

export async function followDocument(
  document: string,
  { env = {}, packed = false, before }: FollowOptions = {},
): Promise<FollowedGuide> {
  const stack = new AsyncDisposableStack();
  const project = stack.use(await (packed ? openPackedGuideProject() : openGuideProject()));
  const environment = packed ? env : { NODE_OPTIONS: "--conditions=langwire-source", ...env };
  const follower = new Follower(project, environment);
  stack.defer(() => follower.stop());
  try {
    for (const step of await stepsOf(document)) {
      if (step.type === "file") {
        await before?.(step.path, follower);
        await follower.write(step.path, step.text);
      } else if (step.type === "command") {
        await before?.(step.line, follower);
        await follower.type(step.line);
      } else follower.hasPrinted(step.text);
    }
  } catch (cause) {
    await stack.disposeAsync();
    throw cause;
  }
  return {
    folder: project.folder,
    portOf: (port) => follower.portOf(port),
    get log() {
      return follower.log;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

export class Follower {
  readonly #project: GuideProject;
  readonly #env: Readonly<Record<string, string>>;
  readonly #ports = new Map<number, Promise<number>>();
  /** By the command that started it. */
  readonly #running = new Map<string, StartedProgram>();
  #printed = "";

  constructor(project: GuideProject, env: Readonly<Record<string, string>>) {
    this.#project = project;
    this.#env = env;
  }

  get folder(): string {
    return this.#project.folder;
  }

  /** What the command before has printed. */
  get printed(): string {
    return this.#printed;
  }

  get log(): string {
    return [...this.#running.values()].map(({ output }) => output).join("");
  }

  portOf(port: number): Promise<number> {
    const known = this.#ports.get(port) ?? freePort();
    this.#ports.set(port, known);
    return known;
  }

  async write(path: string, text: string): Promise<void> {
    await this.#project.write(path, await this.#withPorts(text));
  }

  async type(typed: string): Promise<void> {
    const packages = packagesIn(typed);
    for (const name of packages) await this.#project.install(name);
    if (packages.length > 0) return;
    await this.stopServer(typed);
    const program = await this.#start(await this.#withPorts(typed));
    if (servers.test(typed)) {
      this.#running.set(typed, program);
      await program.printed(listening);
      return;
    }
    const ended = await program.exited;
    this.#printed = program.output;
    expect(ended, `${typed}\n${program.output}\n${this.log}`).toBe(0);
  }

  /** Ctrl+C. @param command as it was typed */
  async stopServer(command: string): Promise<void> {
    const running = this.#running.get(command);
    this.#running.delete(command);
    if (running !== undefined) await stopGroup(running);
  }

  hasPrinted(expected: string): void {
    if (!isPrinted(expected, this.#printed)) expect(this.#printed).toBe(expected);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#running.values()].map(stopGroup));
  }

  async #start(line: string): Promise<StartedProgram> {
    const { folder } = this.#project;
    return startProgram("/bin/sh", ["-c", line], {
      cwd: folder,
      detached: true,
      env: {
        PATH: `${join(root, "node_modules/.bin")}:${process.env.PATH}`,
        PORT: String(await this.portOf(3000)),
        // Every program begins by loading the same sources.
        NODE_COMPILE_CACHE: join(root, "node_modules/.cache/guides"),
        ...{ CI: undefined, VITEST: undefined, NODE_ENV: undefined, NO_COLOR: "1" },
        ...this.#env,
      },
    });
  }

  async #withPorts(text: string): Promise<string> {
    const named = new Set([...text.matchAll(ports)].map(([port]) => Number(port)));
    const own = new Map<string, number>();
    for (const port of named) own.set(String(port), await this.portOf(port));
    return text.replaceAll(ports, (port) => String(own.get(port)));
  }
}

/** `npx` and a shell stand between: they and the program are one process group. */
async function stopGroup({ child, exited }: StartedProgram): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  process.kill(-child.pid, "SIGTERM");
  await exited;
}
