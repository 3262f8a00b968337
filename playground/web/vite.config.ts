import { join } from "node:path";
import { defineConfig } from "vite";

const root = import.meta.dirname;

/** Static files that work under any path and a strict policy: nothing is inlined, nothing is made from text. */
export default defineConfig({
  root,
  base: "./",
  cacheDir: join(root, "../../node_modules/.vite-playground"),
  server: { host: "127.0.0.1" },
  build: {
    outDir: join(root, "../../dist/playground-site"),
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
  },
});
