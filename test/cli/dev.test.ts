/** `langwire dev`: a real process, real files that change, and a socket that is never lost. */
import { execFile } from "node:child_process";
import { existsSync, watch } from "node:fs";
import { chmod, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { promisify } from "node:util";
import { expect, onTestFinished, test, vi } from "vitest";
import { createClient, type LangwireClient } from "../../client/src/index.ts";
import { hasBrowser, openBrowser } from "../../src/cli/dev/open-browser.ts";
import type { StartedProgram } from "../support/child-process.ts";
import { needsProgram } from "../support/needs-program.ts";
import { listening, openProject } from "./run-langwire.ts";

/** A client on one socket. @returns with it, how often the socket had to be opened */
function connect(url: string): { client: LangwireClient; opened: () => number } {
  const client = createClient({ url: `${url.replace("http", "ws")}/trpc` });
  onTestFinished(() => client.close());
  let opened = 0;
  client.connection.subscribe(({ state }) => {
    if (state === "open") opened += 1;
  });
  return { client, opened: () => opened };
}

const ask = (client: LangwireClient, botId: string, conversationId?: string) =>
  client.send({ botId, message: "hello", ...(conversationId && { conversationId }) }).text;

const idsOf = async (client: LangwireClient) => (await client.bots.list()).map(({ id }) => id);

/** Settles when that many reloads were told. */
const reloaded = (dev: StartedProgram, times: number) =>
  dev.printed(new RegExp(`(?:loaded anew.*){${times}}`, "s"));

/** Each time that it said which bots there are: what it said. */
const told = (dev: StartedProgram) =>
  [...dev.output.matchAll(/serves these bots\s+(.*?)\s*$/gm)].map(([, facts]) => facts);

/** The text of a file that is there, or will be. */
async function fileOf(folder: string, name: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const watcher = watch(folder, (_event, changed) => {
    if (changed === name) resolve();
  });
  if (!existsSync(join(folder, name))) await promise;
  watcher.close();
  return await readFile(join(folder, name), "utf8");
}

const lambda = 'import { RunnableLambda } from "@langchain/core/runnables";';
const waiting = `${lambda}
  import { greeting } from "./greeting";
  import { open, opened } from "./gate.js";
  export const slow = RunnableLambda.from(async () => { await opened; return greeting; });
  export const release = RunnableLambda.from(() => { open(); return "released"; });`;

test("what is edited answers next, a run goes on as it began, and no socket is lost", async () => {
  await using project = await openProject({
    "bots.ts": waiting,
    "greeting.ts": `import { word } from "./word.cjs";
      export const greeting: string = word + " " + process.env.NAME;`,
    "word.cjs": 'exports.word = require("./words.cjs").hello;',
    "words.cjs": 'exports.hello = "hello";',
    "gate.ts": "export const { promise: opened, resolve: open } = Promise.withResolvers<void>();",
    ".env": "NAME=Ann\n",
  });
  await using dev = project.start(["dev"]);
  const { client, opened } = connect(await listening(dev));
  const conversationId = crypto.randomUUID();
  const begun = ask(client, "slow", conversationId);
  await dev.printed(/run started/);
  expect(told(dev)).toEqual(['file=bots.ts bots=["release","slow"]']);

  await project.write("words.cjs", 'exports.hello = "bye";');
  await reloaded(dev, 1);
  // Of a file that did not change: it holds what the run waits for.
  expect(await ask(client, "release")).toBe("released");
  expect(await begun).toBe("hello Ann");
  expect(await ask(client, "slow", conversationId)).toBe("bye Ann");

  await project.write("bots.ts", `${waiting}\nexport const broken = = 1;`);
  const [refused] = await dev.printed(/SyntaxError:.+?bots\.ts:6:\d+/s);
  expect(refused).toContain("Expression expected");
  expect(await ask(client, "slow")).toBe("bye Ann");

  await project.write("bots.ts", `${waiting}\nexport { third } from "./third.js";`);
  await dev.printed(/Cannot find module .*third/s);
  await project.write("third.ts", `${lambda} export const third = RunnableLambda.from(() => "3");`);
  await reloaded(dev, 2);
  expect(await idsOf(client)).toEqual(["release", "slow", "third"]);

  await project.write(".env", "NAME=Bob\nMAX_SOCKETS=7\n");
  await reloaded(dev, 3);
  // The gate is a new one, too.
  await ask(client, "release");
  expect(await ask(client, "slow", conversationId)).toBe("bye Bob");
  expect(dev.output).toContain('settings=["MAX_SOCKETS"]');
  expect(told(dev).slice(1)).toEqual(['file=bots.ts bots=["release","slow","third"]']);
  expect(opened()).toBe(1);
});

test("a project of LangGraph's runs as it is, and its configuration is loaded anew, too", async () => {
  const config = { node_version: "22", graphs: { agent: "./src/graph.ts:graph" }, env: ".env" };
  await using project = await openProject({
    "langgraph.json": JSON.stringify(config),
    "package.json": JSON.stringify({ type: "module" }),
    // Imports of types that are not said to be, and files by the name that they will be compiled to.
    "src/graph.ts": `import { RunnableConfig } from "@langchain/core/runnables";
      import { StateGraph } from "@langchain/langgraph";
      import { State } from "./state.js";
      import { Settings, settingsOf } from "./settings.js";
      const answer = async (state: typeof State.State, config: RunnableConfig) => {
        const { name }: Settings = settingsOf(config);
        return { messages: [{ role: "assistant", content: name + ": " + state.messages.length }] };
      };
      export const builder = new StateGraph(State).addNode("answer", answer)
        .addEdge("__start__", "answer");
      export const graph = builder.compile();
      graph.name = "New Agent";`,
    "src/state.ts": `import { BaseMessage } from "@langchain/core/messages";
      import { Annotation, messagesStateReducer } from "@langchain/langgraph";
      export const State = Annotation.Root({
        messages: Annotation<BaseMessage[]>({ reducer: messagesStateReducer, default: () => [] }),
      });`,
    "src/settings.ts": `import { RunnableConfig } from "@langchain/core/runnables";
      export interface Settings { name: string }
      export const settingsOf = (config?: RunnableConfig): Settings =>
        ({ name: config?.configurable?.name ?? process.env.NAME ?? "my-model" });`,
  });
  await using dev = project.start(["dev"]);
  const url = await listening(dev);
  const { client } = connect(url);
  expect(await client.bots.list()).toMatchObject([{ id: "agent", title: "New Agent" }]);
  expect(await ask(client, "agent")).toBe("my-model: 1");
  expect(await (await fetch(url)).text()).toContain("<!doctype html>");

  await project.write(".env", "NAME=theirs");
  await reloaded(dev, 1);
  expect(await ask(client, "agent")).toBe("theirs: 1");
  const graphs = { agent: "./src/graph.ts:graph", second: "./src/graph.ts:builder" };
  await project.write("langgraph.json", JSON.stringify({ ...config, graphs, store: {} }));
  await reloaded(dev, 2);
  expect(await idsOf(client)).toEqual(["agent", "second"]);
  expect(dev.output).toContain('fields=["store"]');
  expect(await ask(client, "second")).toBe("theirs: 1");
});

const terminal = { command: "script", debianPackage: "bsdutils" };
needsProgram("langwire dev", terminal, () =>
  test("opens the page in the browser", async () => {
    await using project = await openProject({
      "bots.js": `${lambda} export const chat = RunnableLambda.from(() => "hi");`,
      "bin/xdg-open": '#!/bin/sh\necho "$1" > opened.tmp && mv opened.tmp opened',
    });
    await chmod(join(project.folder, "bin/xdg-open"), 0o755);
    const PATH = `${join(project.folder, "bin")}:${process.env.PATH}`;
    await using dev = project.startOnTerminal(["dev"], { CI: "", PATH });
    const [, url] = await dev.printed(/ {2}open (http\S+)/);
    expect(await fileOf(project.folder, "opened")).toBe(`${url?.trim()}\n`);
  }),
);

test("the page is not opened where nobody wants it, or nobody is there", () => {
  expect(hasBrowser(true, {}, true)).toBe(true);
  expect(hasBrowser(false, {}, true)).toBe(false);
  expect(hasBrowser(true, { CI: "true" }, true)).toBe(false);
  expect(hasBrowser(true, {}, false)).toBe(false);
});

test("a browser that is not there is missed by nobody", async () => {
  vi.stubEnv("PATH", "/nowhere");
  openBrowser("http://127.0.0.1:3000");
  vi.unstubAllEnvs();
  // What nobody has caught would end the process by then.
  await nextTurn();
});

test("waits for a program that can be loaded, and serves no other until then", async () => {
  await using project = await openProject({ "bots.js": "export const chat = ;" });
  await using dev = project.start(["dev", "bots.js"]);
  await dev.printed(
    /bots\.js cannot be loaded\.\nSyntaxError: .+bots\.js:1.+Waiting for a change/s,
  );
  expect(dev.output).not.toContain("listening");
  await project.write("bots.js", `export { chat } from "./decorated.ts";`);
  await project.write("decorated.ts", "@sealed export class Chat {}\nexport const chat = 1;");
  await dev.printed(/decorated\.ts has decorators, which Node\.js cannot run/);
  await project.write("tsconfig.json", `{ "extends": "@tsconfig/recommended/tsconfig.json" }`);
  await project.write(
    "bots.js",
    `${lambda} if (!process.env.WORD) throw new Error("WORD is not set");
    export const chat = RunnableLambda.from(() => process.env.WORD);`,
  );
  await dev.printed(
    /^\S+tsconfig\.json extends "@tsconfig\/recommended\/tsconfig\.json", which is not installed: npm install --save-dev @tsconfig\/recommended$/m,
  );
  await project.write("tsconfig.json", "{}");
  await dev.printed(/WORD is not set/);
  await project.write(".env", "WORD=hi");
  const { client } = connect(await listening(dev));
  expect(await ask(client, "chat")).toBe("hi");

  const stray = `${lambda} export const chat = RunnableLambda.from(() => "ho");
    Promise.reject(new Error("nobody holds it"));`;
  await project.write("bots.js", stray);
  const [stated] = await dev.printed(/an error that nobody caught.+?bots\.js\S*:2:\d+/s);
  expect(stated).toContain("nobody holds it");
  await reloaded(dev, 1);
  expect(await ask(client, "chat")).toBe("ho");
});

/** Each reload costs what Node.js keeps of the modules that it loads anew, and no more. */
test("a hundred reloads grow by what they load", async () => {
  await using project = await openProject({
    "bots.ts": `${lambda} import { n } from "./n.ts"; export const chat = RunnableLambda.from(() => n);`,
    "n.ts": "export const n = 0;",
    // It holds what must not be loaded again.
    "large.ts": "export const large = new Array(300_000).fill(0).map(String);",
    "index.ts": 'export * from "./bots.ts"; export { large } from "./large.ts";',
  });
  const program = `
    import { writeFileSync } from "node:fs";
    import { readSettings } from ${JSON.stringify(new URL("../../src/config/read-settings.ts", import.meta.url))};
    import { ProgramSource } from ${JSON.stringify(new URL("../../src/cli/program/program-source.ts", import.meta.url))};
    const source = new ProgramSource("index.ts", {});
    const settings = readSettings({});
    const load = () => source.load(settings, { info() {}, warn() {} });
    const usedBytes = () => { gc(); return process.memoryUsage().heapUsed; };
    await load();
    let before = 0;
    for (let n = 10; n < 120; n += 1) {
      writeFileSync("n.ts", "export const n = 1" + " ".repeat(n) + ";");
      if (source.changed().length === 0) throw new Error("did not change");
      await load();
      if (n === 19) before = usedBytes();
    }
    console.log((usedBytes() - before) / 100);`;
  const args = [
    "--expose-gc",
    "--conditions=langwire-source",
    "--input-type=module",
    "-e",
    program,
  ];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: project.folder });
  const bytesAReload = Number(stdout);
  expect(bytesAReload).toBeGreaterThan(0);
  expect(bytesAReload).toBeLessThan(60_000);
});
