import { existsSync } from "node:fs";
import { dirname, relative, resolve, sep } from "node:path";
import { defineConfig } from "vitest/config";

const root = import.meta.dirname;

/** Tests import sources, yet run what ships: `src/x.ts` and `adapters/x.ts` resolve to the built `dist/.../x.js`. */
const sourcesToBuild = {
  name: "sources-to-build",
  enforce: "pre" as const,
  resolveId(source: string, importer: string | undefined) {
    if (importer === undefined || !source.startsWith(".") || !source.endsWith(".ts")) return undefined;
    const target = resolve(dirname(importer), source);
    const [room] = relative(root, target).split(sep);
    if (room !== "src" && room !== "adapters") return undefined;
    const built = resolve(root, "dist", relative(root, target).replace(/\.ts$/, ".js"));
    if (!existsSync(built)) throw new Error(`${relative(root, built)} is missing: run "npm run build" first.`);
    return { id: built, external: true };
  },
};

export default defineConfig({
  plugins: [sourcesToBuild],
  test: {
    include: ["test/**/*.test.ts"],
    server: { deps: { external: [/\/dist\//] } },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
  },
});
