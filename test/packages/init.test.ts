/** The project that `langwire init` and `npm create langwire` make: it works as it is, on the packed packages. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createClient } from "../../client/src/index.ts";
import { type StartedProgram, startProgram } from "../support/child-process.ts";
import { freePort } from "../support/free-port.ts";
import { bin, openPackedProject, type PackedProject } from "./packed.ts";

/** What the project's package.json names, as `npm install` in it would bring. */
const also = ["react", "react-dom", "@types/react", "@types/react-dom", "@vitejs/plugin-react"];
const tools = ["typescript", "vitest", "concurrently"];
const env = {
  PATH: [dirname(bin("node")), process.env.PATH].join(delimiter),
  // The page is opened in nobody's browser.
  BROWSER: "none",
  // What CI is shown in colours, a test cannot read.
  NO_COLOR: "1",
};

let project: PackedProject;
let app: string;
let said: string;

beforeAll(async () => {
  project = await openPackedProject({ also: [...also, ...tools] });
  app = join(project.folder, "app");
  said = await project.run("node_modules/.bin/langwire", "init", "app");
});
afterAll(() => project?.[Symbol.asyncDispose]());

const npm = (...args: string[]) => startProgram("npm", args, { cwd: app, env, detached: true });

/** Ends what a terminal's Ctrl-C ends: all that the command has started. */
async function interrupt({ child, exited }: StartedProgram): Promise<void> {
  process.kill(-Number(child.pid), "SIGINT");
  await exited;
}

test("says what to do next, and leaves a folder alone that is not empty", async () => {
  expect(said).toContain("  cd app\n  npm install\n  npm run dev\n");
  expect(JSON.parse(await readFile(join(app, "package.json"), "utf8"))).toMatchObject({
    name: "app",
  });
  await writeFile(join(app, "bots.ts"), "mine");
  const made = (await readdir(app)).toSorted();
  for (const command of [["langwire", "init"], ["create-langwire"]]) {
    const [name = "", ...args] = command;
    await expect(project.run(`node_modules/.bin/${name}`, ...args, "app")).rejects.toThrow(
      /\/app is not empty \(.+\): name another folder, or .+ with --force\.\n/,
    );
  }
  expect(await readFile(join(app, "bots.ts"), "utf8")).toBe("mine");
  await project.run("node_modules/.bin/create-langwire", "app", "--force");
  expect(await readFile(join(app, "bots.ts"), "utf8")).toContain("assistant");
  expect((await readdir(app)).toSorted()).toEqual(made);
});

test("passes its own test", async () => {
  const program = npm("test");
  expect(await program.exited, program.output).toBe(0);
  expect(program.output).toContain("1 passed");
});

test("serves bots and page while they are written", async () => {
  const port = await freePort();
  await using dev = startProgram("npm", ["run", "dev"], {
    cwd: app,
    env: { ...env, PORT: String(port) },
    detached: true,
  });
  const [, page = ""] = await dev.printed(/Local:.*?(http:\/\/localhost:\d+)/);
  await dev.printed(new RegExp(`127\\.0\\.0\\.1:${port}`));
  expect(await (await fetch(page)).text()).toContain("/src/main.tsx");
  expect((await fetch(`${page}/src/chat.tsx`)).status).toBe(200);
  {
    // As the page does: by its own address, which is Vite's.
    await using client = createClient({ url: `${page}/trpc` });
    const run = client.send({ botId: "assistant", message: "What time is it in Tokyo?" });
    expect(await run.text).toContain("The tools say");
  }
  await interrupt(dev);
});

test("is built with its types checked, and served by one command", async () => {
  const build = npm("run", "build");
  expect(await build.exited, build.output).toBe(0);
  await using server = startProgram("npm", ["start"], {
    cwd: app,
    env: { ...env, PORT: "0" },
    detached: true,
  });
  const [address = ""] = await server.printed(/http:\/\/127\.0\.0\.1:\d+/);
  const html = await (await fetch(address)).text();
  const [, script] = /src="(\/assets\/[^"]+)"/.exec(html) ?? [];
  expect(html).toContain("<title>Assistant</title>");
  expect((await fetch(`${address}${script}`)).status).toBe(200);
  await interrupt(server);
});

test("a page that was not built is not served", async () => {
  const start = project.run("node_modules/.bin/langwire", "start", "--page", "nowhere");
  await expect(start).rejects.toThrow("There is no page in nowhere: it has no index.html.");
});
