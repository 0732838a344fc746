/**
 * The first commands of a new user, by npm itself and from a registry: an empty folder, an empty home, and a
 * PATH with Node.js alone. What installs all that the packages need is of the full form: it takes minutes, and
 * a network.
 */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, expect, test } from "vitest";
import { full } from "../faults/form.ts";
import { startProgram } from "../support/child-process.ts";
import { startPackageRegistry } from "./package-registry.ts";
import { openPackedProject } from "./packed.ts";

const run = promisify(execFile);
const root = new URL("../..", import.meta.url).pathname;
const timeoutMs = 600_000;

let place: string;
let env: Record<string, string>;

beforeAll(async () => {
  const stack = new AsyncDisposableStack();
  place = await mkdtemp(join(tmpdir(), "langwire-bare-machine-"));
  stack.defer(() => rm(place, { recursive: true }));
  const { archives } = stack.use(
    await openPackedProject(full ? { page: true } : { packages: ["create-langwire"] }),
  );
  const registry = stack.use(await startPackageRegistry(archives));
  const home = join(place, "home");
  await mkdir(home);
  // How npm reaches a registry from this machine, and what it has from there already.
  const setting = async (name: string) => (await run("npm", ["config", "get", name])).stdout.trim();
  const [cache, userconfig] = await Promise.all([setting("cache"), setting("userconfig")]);
  env = {
    HOME: home,
    PATH: [join(root, "node_modules/node/bin"), "/usr/bin", "/bin"].join(":"),
    npm_config_registry: registry.url,
    npm_config_userconfig: userconfig,
    npm_config_cache: cache,
    npm_config_prefer_offline: "true",
    npm_config_update_notifier: "false",
    npm_config_yes: "true",
  };
  return () => stack.disposeAsync();
}, timeoutMs);

async function emptyFolder(name: string): Promise<string> {
  const folder = join(place, name);
  await mkdir(folder);
  return folder;
}

/** @returns what it printed, on both streams */
async function sh(cwd: string, command: string): Promise<string> {
  const { stdout, stderr } = await run("/bin/sh", ["-ec", command], { cwd, env, maxBuffer: 1e8 });
  return stdout + stderr;
}

test("npm create langwire makes a project, and installs nothing else for it", async () => {
  const folder = await emptyFolder("created");
  const made = await sh(folder, "npm create langwire@latest my-bots");
  expect(made).toContain("  cd my-bots\n  npm install\n  npm run dev\n");
  expect(await readdir(join(folder, "my-bots"))).toContain("bots.ts");
  expect(await readdir(folder)).toEqual(["my-bots"]);
});

const steps: Record<string, () => Promise<void>> = {
  "what it makes is installed, tested and built": async () => {
    const app = join(place, "created/my-bots");
    expect(await sh(app, "npm install")).not.toMatch(/npm (warn|error)/);
    expect(await sh(app, "npm test")).toContain("1 passed");
    expect(await sh(app, "npm run build")).toContain("built in");
  },
  "npx langwire serves a page from an empty folder": async () => {
    const folder = await emptyFolder("npx");
    await using server = startProgram("/bin/sh", ["-ec", "exec npx langwire@latest"], {
      cwd: folder,
      env: { ...env, PORT: "0" },
      detached: true,
    });
    const [address = ""] = await server.printed(/http:\/\/127\.0\.0\.1:\d+/);
    const page = await (await fetch(address)).text();
    expect(page).toContain('<script type="module"');
    process.kill(-Number(server.child.pid), "SIGINT");
    await server.exited;
    expect(await readdir(folder)).toEqual(["data"]);
  },
  "npm i says nothing but what it added, and adds no optional package": async () => {
    const folder = await emptyFolder("by-hand");
    await sh(folder, "npm init -y && npm pkg set type=module");
    const said = await sh(folder, "npm i langwire langwire-client @langchain/core");
    expect(said).not.toMatch(/npm (warn|error)/);
    const modules = await readdir(join(folder, "node_modules"));
    expect(modules).toContain("langwire");
    for (const name of ["pg", "redis", "prom-client"]) expect(modules).not.toContain(name);
    expect(await sh(folder, "npx langwire --version")).toMatch(/^\d+\.\d+\.\d+\n$/);
    await sh(folder, "npm i pg redis prom-client");
    expect(await sh(folder, "du -sm node_modules")).toMatch(/^(1\d\d|2[01]\d)\t/);
  },
};

test.each(Object.entries(full ? steps : {}))(
  "%s",
  async (_name, step) => {
    await step();
  },
  timeoutMs,
);
