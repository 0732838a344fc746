/**
 * Follows ops/Dockerfile where no container engine runs: a folder for each stage, its COPY and RUN
 * steps in there, then its command, until its health check answers well.
 *
 *   node ops/container-steps.ts [--link-modules] [--keep-running] [<context>]
 *
 * It needs AUTH_SECRET, as the container does. With --link-modules, `npm ci` is replaced by the
 * modules that are installed in the context. With a context, its own Dockerfile is followed there. What it cannot show is the isolation, and the image
 * that the stages begin from.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";

const options = {
  "link-modules": { type: "boolean" },
  "keep-running": { type: "boolean" },
} as const;
const { values, positionals } = parseArgs({ options, allowPositionals: true });
const [context] = positionals;
/** What `COPY` copies from. */
const root = resolve(context ?? join(import.meta.dirname, ".."));
const dockerfile = join(root, context === undefined ? "ops/Dockerfile" : "Dockerfile");
/** Who runs the command: the image's `node` has this number too. */
const user = { uid: 1000, gid: 1000 };
const healthTries = 60;

interface Stage {
  readonly folder: string;
  readonly env: Record<string, string>;
  user: string;
  workdir: string;
  command: string[];
  health: string[];
}

const place = mkdtempSync(join(tmpdir(), "langwire-container-"));
chmodSync(place, 0o755);
const stages = new Map<string, Stage>();
const ignored = readFileSync(join(root, ".dockerignore"), "utf8").split("\n").filter(Boolean);

/** A path inside of the stage, as one of this machine. */
const inside = (stage: Stage, path: string): string =>
  join(stage.folder, path.startsWith("/") ? path : join(stage.workdir, path));

/** Absolute paths of the image that a step names are folders of the stage. */
const relocated = (stage: Stage, text: string): string =>
  text.replaceAll(/(?<=[\s=]|^)\/(?=data|app)/g, `${stage.folder}/`);

function copies(source: string): boolean {
  const path = source.slice(root.length + 1);
  return !ignored.some((entry) =>
    entry.startsWith("**/") ? path.split("/").includes(entry.slice(3)) : path === entry,
  );
}

function copy(stage: Stage, words: string[]): void {
  const from = words[0]?.startsWith("--from=") ? words.shift()?.slice("--from=".length) : undefined;
  const target = words.pop() ?? ".";
  for (const word of words) {
    const other = from === undefined ? undefined : stages.get(from);
    const source = other === undefined ? join(root, word) : inside(other, word);
    const into = target.endsWith("/") && word !== "." ? join(target, word) : target;
    const isLinked = other !== undefined && values["link-modules"] && word.endsWith("node_modules");
    if (isLinked) symlinkSync(join(root, "node_modules"), inside(stage, into));
    else
      cpSync(source, inside(stage, into), { recursive: true, filter: other ? () => true : copies });
  }
}

function runStep(stage: Stage, command: string): void {
  const cwd = inside(stage, ".");
  if (values["link-modules"] && command.startsWith("npm ci")) {
    symlinkSync(join(root, "node_modules"), join(cwd, "node_modules"));
    return;
  }
  const script = relocated(stage, command).replaceAll("node:node", `${user.uid}:${user.gid}`);
  execFileSync("sh", ["-ec", script], {
    cwd,
    stdio: "inherit",
    env: { ...process.env, ...stage.env },
  });
}

function take(stage: Stage, word: string, rest: string): void {
  switch (word) {
    case "WORKDIR":
      stage.workdir = rest;
      mkdirSync(inside(stage, "."), { recursive: true });
      break;
    case "COPY":
      copy(stage, rest.split(" "));
      break;
    case "RUN":
      runStep(stage, rest);
      break;
    case "ENV":
      stage.env[rest.split("=")[0] ?? ""] = relocated(stage, rest.slice(rest.indexOf("=") + 1));
      break;
    case "USER":
      stage.user = rest;
      break;
    case "HEALTHCHECK":
      stage.health = JSON.parse(rest.slice(rest.indexOf("CMD ") + "CMD ".length));
      break;
    case "CMD":
      stage.command = JSON.parse(rest);
      break;
    case "VOLUME":
    case "EXPOSE":
      break;
    default:
      throw new Error(`${dockerfile} has a step that this does not follow: ${word}`);
  }
}

function followSteps(): Stage {
  let stage: Stage | undefined;
  for (const line of readFileSync(dockerfile, "utf8").split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const word = line.split(" ", 1)[0] ?? "";
    const rest = line.slice(word.length + 1);
    console.log(`· ${line.slice(0, 90)}`);
    if (word === "FROM") {
      const name = / AS (\w+)$/.exec(rest)?.[1] ?? "image";
      stage = {
        folder: join(place, name),
        env: {},
        user: "root",
        workdir: "/",
        command: [],
        health: [],
      };
      mkdirSync(stage.folder);
      stages.set(name, stage);
    } else if (stage !== undefined) take(stage, word, rest);
  }
  if (stage === undefined) throw new Error(`${dockerfile} has no stage`);
  return stage;
}

async function start(stage: Stage): Promise<ChildProcess> {
  const [program = "", ...args] = stage.command;
  const env = {
    PATH: process.env.PATH,
    AUTH_SECRET: process.env.AUTH_SECRET,
    PORT: process.env.PORT,
    NODE_OPTIONS: process.env.NODE_OPTIONS,
    ...stage.env,
  };
  const asUser = process.getuid?.() === 0 && stage.user !== "root" ? user : {};
  const cwd = inside(stage, ".");
  const server = spawn(program, args, { cwd, env, stdio: "inherit", ...asUser });
  const [probe = "", ...probing] = stage.health;
  for (let tries = 0; tries < healthTries && server.exitCode === null; tries++) {
    await sleep(250);
    if (spawnSync(probe, probing, { env, cwd, ...asUser }).status === 0) {
      const status = readFileSync(`/proc/${server.pid}/status`, "utf8");
      console.log(`healthy, as user ${/^Uid:\s+(\d+)/m.exec(status)?.[1]}`);
      return server;
    }
  }
  server.kill("SIGKILL");
  throw new Error("the health check did not answer well");
}

try {
  const image = followSteps();
  if (process.getuid?.() === 0) chownSync(join(image.folder, "data"), user.uid, user.gid);
  const server = await start(image);
  const ended = new Promise<number | null>((settle) => server.once("exit", settle));
  const stop = () => server.kill("SIGTERM");
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  if (!values["keep-running"]) stop();
  console.log(`stopped, with code ${await ended}`);
} finally {
  rmSync(place, { recursive: true });
}
