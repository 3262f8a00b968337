import { existsSync } from "node:fs";
import { dirname, relative, resolve, sep } from "node:path";
import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";
import { BROWSER_ARGUMENTS, findBrowser } from "./scripts/find-browser.mjs";

const root = import.meta.dirname;

/**
 * Tests import sources, yet run what ships: `src/x.ts` and `adapters/x.ts` resolve to the built `dist/.../x.js`. Node
 * loads that by itself, a browser gets it from the test server.
 */
const sourcesToBuild = (external: boolean) => ({
  name: "sources-to-build",
  enforce: "pre" as const,
  resolveId(source: string, importer: string | undefined) {
    if (importer === undefined || !source.startsWith(".") || !source.endsWith(".ts")) return undefined;
    const target = resolve(dirname(importer), source);
    const [room] = relative(root, target).split(sep);
    if (room !== "src" && room !== "adapters") return undefined;
    const built = resolve(root, "dist", relative(root, target).replace(/\.ts$/, ".js"));
    if (!existsSync(built)) throw new Error(`${relative(root, built)} is missing: run "npm run build" first.`);
    return { id: built, external };
  },
});

/** Contract suites run in a dedicated worker of the browser, where Vitest cannot: they get what collects their tests. */
const suitesInWorkers = {
  name: "suites-in-workers",
  enforce: "pre" as const,
  resolveId(source: string, importer: string | undefined) {
    const from = importer === undefined ? "" : relative(root, importer).replaceAll(sep, "/");
    const isSuite = /^test\/(contract\/|browser\/.*-worker\.ts)/.test(from);
    return isSuite && source === "vitest" ? resolve(root, "test/browser/support/worker-suite.ts") : undefined;
  },
};

/** The tests that run in a browser; without one, a skipped test that says how to get one. */
function browserProject(executablePath: string | undefined) {
  if (executablePath === undefined) return project("browser", ["test/browser/no-browser.test.ts"], [], 60_000);
  return {
    plugins: [sourcesToBuild(false), suitesInWorkers],
    optimizeDeps: { include: ["fast-check", "@vitest/expect", "sql.js"] },
    test: {
      name: "browser",
      include: ["test/browser/**/*.test.ts"],
      exclude: ["test/browser/no-browser.test.ts"],
      testTimeout: 60_000,
      hookTimeout: 60_000,
      fileParallelism: false,
      browser: {
        enabled: true,
        headless: true,
        screenshotFailures: false,
        provider: playwright({ launchOptions: { executablePath, args: BROWSER_ARGUMENTS } }),
        instances: [{ browser: "chromium" as const }],
      },
    },
  };
}

/** One runner's name, files and limit of time per test. */
function project(name: string, include: readonly string[], exclude: readonly string[], timeoutMs: number) {
  return {
    extends: true as const,
    plugins: [sourcesToBuild(true)],
    test: { name, include: [...include], exclude: [...exclude], testTimeout: timeoutMs, hookTimeout: timeoutMs },
  };
}

export default defineConfig({
  test: {
    server: { deps: { external: [/\/dist\//] } },
    maxWorkers: 2,
    // Programs and pages load the package by its name, bundled from what the compiler wrote last.
    globalSetup: "scripts/bundle.mjs",
    projects: [
      project(
        "node",
        ["test/**/*.test.ts", "playground/examples/**/*.test.ts"],
        ["test/{reliability,torture,browser}/**"],
        60_000,
      ),
      project("reliability", ["test/{reliability,torture}/**/*.test.ts"], [], 15 * 60_000),
      browserProject(findBrowser()),
      // Without a browser they are left out; the project above says how to get one.
      project("e2e", ["e2e/**/*.test.ts"], findBrowser() === undefined ? ["e2e/**"] : [], 180_000),
    ],
  },
});
