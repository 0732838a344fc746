/** The chat page: `npm run page` works on it, against a server that `npm start` has started. */
import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Where the server looks for the built page. */
export const pageDir = here("../../dist/page");

export default defineConfig({
  root: here("."),
  // Works under any path that a proxy puts it.
  base: "./",
  plugins: [react()],
  resolve: { conditions: ["langwire-source", "module", "browser", "development|production"] },
  build: {
    outDir: pageDir,
    emptyOutDir: true,
    target: "es2022",
    // The browsers that have `light-dark()` have `:dir()`, and need no polyfill for preloading.
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    modulePreload: { polyfill: false },
    // A data: URL for a small file would need a hole in the page's security policy.
    assetsInlineLimit: 0,
  },
  server: { proxy: { "/trpc": { target: "http://127.0.0.1:3000", ws: true } } },
});
