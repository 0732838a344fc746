/** A checkout where nobody would put one, and with a Node.js that is too old. */
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtempDisposable, readFile, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { startProgram } from "../support/child-process.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const run = promisify(execFile);

/** The sources in a folder of that name, with the modules of this checkout. */
async function checkoutIn(name: string) {
  const folder = await mkdtempDisposable(join(tmpdir(), "langwire-checkout-"));
  const path = join(folder.path, name);
  await mkdir(path);
  const parts = ["src", "client", "docs", "scripts", "package.json", "README.md", "PROTOCOL.md"];
  const filter = (source: string) => !source.includes("node_modules", root.length);
  for (const part of parts) {
    await cp(join(root, part), join(path, part), { recursive: true, filter });
  }
  await symlink(join(root, "node_modules"), join(path, "node_modules"));
  return { path, [Symbol.asyncDispose]: () => folder.remove() };
}

test("a path of odd signs starts the server, with all that it reads there", async () => {
  await using checkout = await checkoutIn("it's #1, 50% & 25%41 ?猫");
  await using server = startProgram(process.execPath, ["src/main.ts"], {
    cwd: checkout.path,
    env: { PORT: "0" },
  });
  const [, host] = await server.printed(/listening at (http:\/\/127\.0\.0\.1:\d+)/);
  // Documents, which it reads where it is; and its data, which it made there.
  expect((await fetch(`${host}/docs`)).status).toBe(200);
  expect(await readFile(join(checkout.path, "data/langwire.sqlite"))).toBeDefined();
  const args = ["client/src/cli/main.ts", "--url", `${host?.replace("http", "ws")}/trpc`];
  const { stdout } = await run(process.execPath, [...args, "How do I stop a run?"], {
    cwd: checkout.path,
  });
  expect(stdout).toContain("My documents say");
});

test("where the page cannot be built, that is said in a line, and the rest is installed", async () => {
  await using checkout = await checkoutIn("c#");
  const build = (...args: string[]) =>
    run(process.execPath, ["client/page/build.ts", ...args], { cwd: checkout.path });
  const said = /^The chat page is not built: Vite builds nothing .+ has a #\. Move .+\n$/;
  expect((await build("--if-possible")).stderr).toMatch(said);
  await expect(build()).rejects.toMatchObject({ code: 1, stderr: expect.stringMatching(said) });
});

test("a Node.js that is too old says so in a line", async () => {
  const { scripts } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const check = "./scripts/require-node.cjs";
  for (const name of ["start", "chat", "admin"]) expect(scripts[name]).toContain(`-r ${check}`);
  const withVersion = (version: string) =>
    run(
      process.execPath,
      [
        "-e",
        `Object.defineProperty(process.versions, "node", { value: "${version}" });
        require("${check}")`,
      ],
      { cwd: root },
    );
  for (const version of ["12.22.12", "20.20.2", "22.23.3"]) {
    await expect(withVersion(version)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        new RegExp(`^Langwire needs Node\\.js 24 or later, and this is ${version}\\. .+\n$`),
      ),
    });
  }
  for (const version of ["24.0.0", "26.1.0"]) {
    expect(await withVersion(version)).toMatchObject({ stderr: "" });
  }
});
