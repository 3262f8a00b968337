// Where the browser is that tests and benchmarks drive. Run it to print the path; it fails when there is none.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright";

const INSTALLED = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
];

/** How to get a browser, for whoever has none. */
export const HOW_TO_GET_A_BROWSER = "`npx playwright install chromium`, or on Debian `apt-get install chromium`";

/** No sandbox: containers have none to give. The rest keeps the browser from talking to anybody. */
export const BROWSER_ARGUMENTS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The path of a Chromium, the one that Playwright installs first; `undefined` when there is none. */
export function findBrowser() {
  return [chromium.executablePath(), ...INSTALLED].find((path) => path !== "" && existsSync(path));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const path = findBrowser();
  console.log(path ?? `No browser was found. Get one with ${HOW_TO_GET_A_BROWSER}.`);
  process.exitCode = path === undefined ? 1 : 0;
}
