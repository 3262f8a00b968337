import { defineConfig } from "@playwright/test";
import { BROWSER_ARGUMENTS, findBrowser } from "../../scripts/find-browser.mjs";

const executablePath = findBrowser();

export default defineConfig({
  testMatch: "*.spec.ts",
  reporter: "list",
  workers: 1,
  timeout: 60_000,
  outputDir: "../../.test-results/recipes",
  use: {
    // Usually `webServer` starts the page's own server; here it runs already.
    baseURL: process.env["RECIPE_URL"] ?? "",
    launchOptions: { args: [...BROWSER_ARGUMENTS], ...(executablePath === undefined ? {} : { executablePath }) },
  },
});
