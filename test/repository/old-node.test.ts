/** What an application is told that imports Langwire in an older Node.js, as this one can show it. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Has the version, and of the modules that Langwire imports no more than Node.js 20 has. */
const asNode20 = `
  import { registerHooks } from "node:module";
  const versions = { ...process.versions, node: "20.20.2" };
  Object.defineProperty(process, "versions", { value: versions });
  const zlib = "import zlib from 'node:zlib'; export default zlib;"
    + "export const { constants, createBrotliDecompress, createUnzip } = zlib;";
  registerHooks({
    resolve(specifier, context, next) {
      const isOurs = context.parentURL?.startsWith(${JSON.stringify(new URL("../../src/", import.meta.url).href)});
      if (isOurs && specifier === "node:sqlite") throw new Error("No such built-in module: node:sqlite");
      if (!isOurs || specifier !== "node:zlib") return next(specifier, context);
      return { url: "data:text/javascript," + encodeURIComponent(zlib), shortCircuit: true };
    },
  });`;

const program = `
  for (const entry of ["langwire", "langwire/testing"]) {
    await import(entry).then(() => console.log("loaded"), ({ message }) => console.log(message));
  }`;

test("an import in a Node.js that is too old says which one it needs", async () => {
  const { engines } = JSON.parse(
    readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
  );
  const preload = `data:text/javascript,${encodeURIComponent(asNode20)}`;
  const options = ["--conditions=langwire-source", "--import", preload, "--input-type=module"];
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, [...options, "--eval", program], { cwd: root });
  const oldest = engines.node.replace(">=", "");
  const told = `Langwire needs Node.js ${oldest} or newer, and this is 20.20.2.`;
  expect(stdout.trim().split("\n")).toEqual([told, told]);
});
