import react from "@vitejs/plugin-react";
import { defineConfig, loadEnv } from "vite";

export default defineConfig(({ mode }) => {
  const { PORT = "3000" } = loadEnv(mode, process.cwd(), "PORT");
  return {
    plugins: [react()],
    // The page asks its own address; in development, Vite hands that on to Langwire.
    server: { proxy: { "/trpc": { target: `http://127.0.0.1:${PORT}`, ws: true } } },
  };
});
