/** The packages as a new user gets them: packed, installed elsewhere, used in Node and in a browser. */
import { cp, lstat, readFile } from "node:fs/promises";
import { join } from "node:path";
import { publint } from "publint";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { full } from "../faults/form.ts";
import { startProgram } from "../support/child-process.ts";
import { bin, openPackedProject, type PackedProject } from "./packed.ts";

let project: PackedProject;

beforeAll(async () => {
  project = await openPackedProject();
});
afterAll(() => project?.[Symbol.asyncDispose]());

const program = `
import { chatBot, errorTable } from "langwire";
import { scriptedModel, startTestServer } from "langwire/testing";
import { createClient, type ChatEvent } from "langwire-client";

const model = scriptedModel([{ tokens: ["It", " fizzes."] }]);
await using server = await startTestServer({ bots: [chatBot({ model })] });
await using client = createClient({ url: server.url });
const events: ChatEvent[] = [];
const run = client.send({ botId: "chat", message: "Soda?" });
for await (const event of run) events.push(event);
const retryable: boolean = errorTable.OVERLOADED.retryable;
console.log(await run.text, events.at(-1)?.type, retryable);
`;

const serverIn = (modules: string): string => `${modules}/langwire/bin/langwire.cjs`;

test("the packages are unpacked into the project, and not through a link into the repository", async () => {
  for (const folder of project.packages) {
    expect((await lstat(folder)).isSymbolicLink(), folder).toBe(false);
  }
});

describe("a new user", () => {
  test("writes a server and a client in TypeScript", async () => {
    await project.write("use.ts", program);
    expect(await project.run("node", "use.ts")).toBe("It fizzes. runEnd true\n");
  });

  test.each(["nodenext", "bundler"])(
    "gets types, with module resolution %s",
    async (resolution) => {
      await project.write("use.ts", program);
      const module = resolution === "bundler" ? "esnext" : "nodenext";
      const options = ["--strict", "--noEmit", "--target", "es2024", "--types", "node"];
      const lib = ["--lib", "es2024,esnext.disposable,dom", "--ignoreConfig"];
      // Others' declarations are the same by either way, and take seconds to check.
      const skip = resolution === "bundler" && !full ? ["--skipLibCheck"] : [];
      const how = ["--module", module, "--moduleResolution", resolution, ...skip];
      expect(await project.run(bin("tsc"), ...options, ...lib, ...how, "use.ts")).toBe("");
      await project.write("wrong.ts", program.replace('botId: "chat"', "botId: 1"));
      await expect(project.run(bin("tsc"), ...options, ...lib, ...how, "wrong.ts")).rejects.toThrow(
        "Type 'number' is not assignable to type 'string'",
      );
    },
  );

  test("starts the server by its command", async () => {
    const { bin: commands } = JSON.parse(
      await readFile(join(project.packages[0] ?? "", "package.json"), "utf8"),
    );
    const command = join("node_modules/langwire", commands.langwire);
    const started = project.run("env", "HOST=0.0.0.0", command);
    await expect(started).rejects.toThrow("HOST is");
  });

  test.each([
    ["DATABASE_URL", "pg", ["DATABASE_URL=postgres://127.0.0.1/none"]],
    ["REDIS_URL", "redis", ["DATABASE_URL=postgres://127.0.0.1/none", "REDIS_URL=redis://[::1]"]],
    ["METRICS_PORT", "prom-client", ["METRICS_PORT=0"]],
  ])("is told in a line which package %s needs", async (setting, name, env) => {
    const started = project.run("env", "PORT=0", ...env, "node", serverIn("node_modules"));
    const line = new RegExp(`^${setting} needs the package ${name}: npm i ${name}$`, "m");
    await expect(started).rejects.toThrow(line);
  });

  test("is told how npx brings such a package, which it installs in a folder of its own", async () => {
    await cp(join(project.folder, "node_modules"), join(project.folder, "_npx/1/node_modules"), {
      recursive: true,
      verbatimSymlinks: true,
    });
    const database = "DATABASE_URL=postgres://127.0.0.1/none";
    const started = project.run("env", database, "node", serverIn("_npx/1/node_modules"));
    await expect(started).rejects.toThrow("needs the package pg: npx -p langwire -p pg langwire");
  });

  test("is told in a line that the Node.js is too old for the server", async () => {
    const command = join(project.packages[0] ?? "", "bin/langwire.cjs");
    const old = `Object.defineProperty(process.versions, "node", { value: "20.20.2" });
      require(${JSON.stringify(command)})`;
    const said =
      /\nLangwire needs Node\.js 24 or later, and this is 20\.20\.2\. Install one from nodejs\.org\.\n$/;
    await expect(project.run("node", "-e", old)).rejects.toThrow(said);
  });

  test("writes the types of bots by its command, and checks them", async () => {
    const command = ["node", "node_modules/langwire/bin/langwire.cjs"] as const;
    await project.write(
      "bots.ts",
      `import { defineBot } from "langwire";
       const input = { "~standard": { version: 1, vendor: "own", validate: (value: unknown) => ({ value }) } } as const;
       const runnable = { invoke: async () => "" };
       export const bots = [
         defineBot({ id: "own", title: "Own", description: "", runnable, input, schemas: { input: { type: "number" } } }),
       ];`,
    );
    const types = [...command, "types", "./bots.ts", "--out", "bots.d.ts"] as const;
    expect(await project.run(...types)).toBe("");
    const written = await readFile(join(project.folder, "bots.d.ts"), "utf8");
    expect(written).toContain("readonly input: number;");
    await project.write("bots.d.ts", written.replace("number", "string"));
    await expect(project.run(...types, "--check")).rejects.toThrow("bots.d.ts is not up to date");
    expect(await project.run(...command, "--version")).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test("serves bots of their own by one command, and chats with them by another", async () => {
    const command = join(project.packages[0] ?? "", "bin/langwire.cjs");
    await project.write(
      "bots.ts",
      `import { RunnableLambda } from "@langchain/core/runnables";
       enum Words { Hello = "hello" }
       export const greeter = RunnableLambda.from(() => Words.Hello + " from here");`,
    );
    await using dev = startProgram(process.execPath, [command, "dev", "bots.ts"], {
      cwd: project.folder,
      env: { PORT: "0" },
    });
    const [, host] = await dev.printed(/listening at http:(\/\/127\.0\.0\.1:\d+)/);
    const chat = ["chat", "--url", `ws:${host}/trpc`, "hello"];
    expect(await project.run("node", command, ...chat)).toContain("hello from here");
    const examples = join(project.folder, "examples");
    await cp(join(project.packages[0] ?? "", "examples"), examples, { recursive: true });
    const ask = ["env", `LANGWIRE_URL=ws:${host}/trpc`, "node", "examples/node-script.ts"] as const;
    expect(await project.run(...ask, "hello")).toMatch(/^hello from here\n\[completed\]/);
  });

  test.each([
    ["langgraph-bot", /listening http:\S+; try: npx langwire chat --url/],
    ["mount-into-trpc", /listening .*127\.0\.0\.1/],
  ])("starts the example %s, copied out of the package", async (name, listening) => {
    const from = join(project.packages[0] ?? "", "examples", `${name}.ts`);
    await cp(from, join(project.folder, `${name}.ts`));
    await using started = startProgram(process.execPath, [`${name}.ts`], {
      cwd: project.folder,
      env: { PORT: "0", MODEL: "local:" },
    });
    await started.printed(listening);
    started.child.kill("SIGTERM");
    expect(await started.exited).toBe(0);
  });

  test("chats from the command line", async () => {
    const help = await project.run(
      "node",
      "node_modules/langwire-client/bin/langwire-chat.cjs",
      "--help",
    );
    expect(help).toContain("Usage:");
  });

  test("builds a page with Vite, which takes only what it uses", async () => {
    const html = (script: string) =>
      `<!doctype html><script type="module" src="${script}"></script>`;
    const build = async (code: string): Promise<string> => {
      await project.write("page.ts", code);
      await project.write("index.html", html("./page.ts"));
      await project.write(
        "vite.config.js",
        `export default { build: { rolldownOptions: { output: { entryFileNames: "page.js" } } } };`,
      );
      await project.run(bin("vite"), "build", "--logLevel", "warn");
      return readFile(join(project.folder, "dist/page.js"), "utf8");
    };
    const whole = await build(
      `import { createClient } from "langwire-client";\nglobalThis.langwire = createClient({ url: "ws://127.0.0.1/trpc" });`,
    );
    expect(whole).toContain("runEnd");
    const part = await build(
      `import { LangwireClientError } from "langwire-client";\nconsole.log(LangwireClientError.name);`,
    );
    // What stays of tRPC's client has side effects of its own.
    expect(part).not.toContain("runEnd");
    expect(part.length).toBeLessThan(whole.length / 3);
  });
});

describe.each([0, 1, 2])("package %i", (at) => {
  test("is what publint asks for", async () => {
    const pkgDir = project.packages[at] ?? "";
    const { messages } = await publint({ pkgDir, level: "warning", strict: true, pack: false });
    expect(messages).toEqual([]);
  });

  test("has no script that runs, or is warned of, where it is installed", async () => {
    const text = await readFile(join(project.packages[at] ?? "", "package.json"), "utf8");
    const { scripts }: { scripts: Record<string, string> } = JSON.parse(text);
    const ofInstallation = /^(pre|post)?(install|prepare)$|^prepublish$|^dependencies$/;
    expect(Object.keys(scripts).filter((name) => ofInstallation.test(name))).toEqual([]);
  });

  test("has types that resolve as its code does", async () => {
    const attw = [bin("attw"), project.archives[at] ?? "", "--profile", "esm-only", "--no-color"];
    await expect(project.run("node", ...attw)).resolves.toContain("🟢");
  });
});
