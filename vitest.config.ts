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

/** One runner's name, files and limit of time per test. */
function project(name: string, include: readonly string[], exclude: readonly string[], timeoutMs: number) {
  return {
    extends: true as const,
    test: { name, include: [...include], exclude: [...exclude], testTimeout: timeoutMs, hookTimeout: timeoutMs },
  };
}

export default defineConfig({
  plugins: [sourcesToBuild],
  test: {
    server: { deps: { external: [/\/dist\//] } },
    maxWorkers: 2,
    projects: [
      project("node", ["test/**/*.test.ts"], ["test/{reliability,torture}/**"], 60_000),
      project("reliability", ["test/{reliability,torture}/**/*.test.ts"], [], 15 * 60_000),
    ],
  },
});
