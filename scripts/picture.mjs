// Makes the README's picture of the playground: `npm run picture`, after changes that can be seen.
import { mkdirSync, statSync } from "node:fs";
import { chromium } from "playwright";
import { build, preview } from "vite";
import { BROWSER_ARGUMENTS, findBrowser, HOW_TO_GET_A_BROWSER } from "./find-browser.mjs";
import { root } from "./steps.mjs";

const PICTURE = `${root}docs/playground.png`;
/** Width and height, in CSS pixels: down to the end of the running jobs. */
const SIZE = { width: 1240, height: 1290 };
const BURSTS = 3;
const PAUSE_MS = 3_000;

const executablePath = findBrowser();
if (executablePath === undefined) throw new Error(`No browser was found. Get one with ${HOW_TO_GET_A_BROWSER}.`);

const configFile = `${root}playground/web/vite.config.ts`;
await build({ configFile, logLevel: "warn" });
const server = await preview({ configFile, preview: { host: "127.0.0.1", port: 0 } });
const browser = await chromium.launch({ executablePath, args: [...BROWSER_ARGUMENTS] });
try {
  const page = await browser.newPage({ viewport: SIZE, colorScheme: "light" });
  await page.goto(server.resolvedUrls.local[0]);
  await page.getByRole("button", { name: "Stop this tab's worker" }).waitFor();
  const press = (kind) =>
    page
      .locator("#enqueue button.kind")
      .filter({ hasText: new RegExp(`^${kind}`) })
      .click();
  const nothingIsReady = () => document.querySelector('.counts [data-count="ready"] strong')?.textContent === "0";
  // Enough of everything that each part shows something, and no two pictures differ much.
  for (let burst = 0; burst < BURSTS; burst++) {
    await press("Burst of 1,000");
    await press("Failing");
    await page.waitForTimeout(PAUSE_MS);
    await page.waitForFunction(nothingIsReady);
  }
  for (const kind of ["Slow", "Slow", "Slow", "Delayed", "Flaky", "Burst of 1,000"]) {
    await press(kind);
    await page.waitForTimeout(PAUSE_MS / 2);
  }
  await page.waitForFunction(() => document.querySelector(".notices p") === null);
  await page.locator("h1").hover();
  mkdirSync(`${root}docs`, { recursive: true });
  await page.screenshot({ path: PICTURE, animations: "disabled" });
  console.log(`${PICTURE}: ${Math.round(statSync(PICTURE).size / 1_024)} KiB`);
} finally {
  await browser.close();
  await server.close();
}
