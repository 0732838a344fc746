import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import { expect, test } from "vitest";

const fromHere = (path: string) => fileURLToPath(new URL(path, import.meta.url));
/**
 * It was 4 KiB before the client had the server's own fold of a run and the joining of a tool's progress,
 * in place of a shorter answer of its own, which every change of the server's rules would have made wrong;
 * and 4.3 kB before it looked after its sockets itself: tRPC's client cannot tell a slow link from a dead
 * one, nor why a socket does not open, and goes on for ever with nobody there.
 * The last 300 bytes are where a subscription begins, and the time limits of calls over HTTP; then 70
 * for the joining of a tool call's arguments; then 100 for timers that a closed client lets go of, and for the
 * fold's texts, of which the server holds a long one once; then 70 for frames that are not too long where much
 * comes back, and for whose one is; then 30 for a question over HTTP that ends with its client; then 250 for addresses: one that is none is
 * refused by name, and one that is not reached is told; and for why something was ended.
 */
const maxGzipBytes = 8_000;

/** The client as an application's bundler takes it in, without what it stands on. */
async function bundle(): Promise<string> {
  const result = await build({
    configFile: false,
    logLevel: "silent",
    build: {
      write: false,
      target: "es2024",
      rolldownOptions: {
        input: fromHere("../../client/src/index.ts"),
        preserveEntrySignatures: "strict",
        external: [/^@trpc\//, "superjson"],
        output: { minify: true },
      },
    },
  });
  const [output] = Array.isArray(result) ? result : [result];
  if (output === undefined || !("output" in output)) throw new Error("vite built nothing");
  return output.output.map((part) => ("code" in part ? part.code : "")).join("");
}

test("the client adds less than 8 kB to tRPC's and superjson, and nothing that is not theirs", async () => {
  const code = await bundle();
  const imported = [...code.matchAll(/\bfrom\s*["']([^"']+)["']/g)].map(([, name]) => name);
  expect(new Set(imported)).toEqual(new Set(["@trpc/client", "superjson"]));
  expect(gzipSync(code).byteLength).toBeLessThan(maxGzipBytes);
});
