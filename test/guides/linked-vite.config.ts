/** What Vite has to know where the packages are linked sources; of installed ones there is nothing to say. */
import { defineConfig } from "vite";

export default defineConfig({
  server: { host: "127.0.0.1", fs: { strict: false } },
  ssr: { resolve: { conditions: ["langwire-source", "module", "node", "development|production"] } },
  resolve: { conditions: ["langwire-source", "module", "browser", "development|production"] },
});
