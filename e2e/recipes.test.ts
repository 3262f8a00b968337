import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { serveFiles } from "../scripts/serve-files.mjs";

const ROOT = resolve(import.meta.dirname, "..");

/** The recipe is run by Playwright's own runner, as its readers will run theirs. */
it("the recipe for testing a page with Playwright works", async () => {
  const server = await serveFiles({ package: ROOT, shop: join(ROOT, "e2e/recipes/shop") });
  const cli = createRequire(import.meta.url).resolve("@playwright/test/cli");
  const command = [cli, "test", "--config", join(ROOT, "e2e/recipes/playwright.config.ts")];
  // Vitest's own marks would make Playwright's assertions its own.
  const { VITEST: _vitest, VITEST_WORKER_ID: _worker, NODE_OPTIONS: _options, ...environment } = process.env;
  const env = { ...environment, RECIPE_URL: `${server.origin}/shop/` };
  const outcome = await promisify(execFile)(process.execPath, command, { cwd: ROOT, env }).catch(
    (error: { stdout?: string }) => ({ stdout: `failed: ${String(error)}\n${error.stdout ?? ""}` }),
  );
  await server.close();
  expect(outcome.stdout).toMatch(/\b6 passed\b/);
  expect(outcome.stdout).not.toMatch(/\d+ (?:failed|flaky|skipped)|^failed/);
});
