import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright";
import { build } from "vite";
import { BROWSER_ARGUMENTS, findBrowser } from "../../scripts/find-browser.mjs";
import { serveFiles, type StaticServer } from "../../scripts/serve-files.mjs";

const ROOT = resolve(import.meta.dirname, "../..");

/** Where screenshots are kept. */
export const SCREENSHOTS: string = join(ROOT, ".test-results/screenshots");

/** Nothing here takes that long; a test that waits for it says what it waited for. */
const LONGEST_WAIT_MS = 45_000;

/** The strictest policy that a page with WebAssembly can have; nothing but a text may become a script. */
const HEADERS = {
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "worker-src 'self'",
    "connect-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join("; "),
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
};

/** The built playground on a server, and a browser to look at it with. */
export class Playground {
  readonly #folder: string;
  readonly #server: StaticServer;
  readonly #browser: Browser;
  readonly #contexts: BrowserContext[] = [];

  private constructor(folder: string, server: StaticServer, browser: Browser) {
    this.#folder = folder;
    this.#server = server;
    this.#browser = browser;
  }

  /** Builds it as `npm run playground:build` does. */
  static async build(): Promise<Playground> {
    const executablePath = findBrowser();
    if (executablePath === undefined) throw new Error("No browser was found.");
    const folder = await mkdtemp(join(tmpdir(), "stem-sqlite-playground-"));
    const configFile = join(ROOT, "playground/web/vite.config.ts");
    await build({ configFile, logLevel: "warn", build: { outDir: folder } });
    const served = { "": folder, assets: join(folder, "assets") };
    const server = await serveFiles(served, { headers: HEADERS, types: { ".svg": "image/svg+xml" } });
    return new Playground(folder, server, await chromium.launch({ executablePath, args: [...BROWSER_ARGUMENTS] }));
  }

  /** A visitor with a storage of its own. */
  async visitor(options: BrowserContextOptions = {}): Promise<Visitor> {
    const context = await this.#browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    context.setDefaultTimeout(LONGEST_WAIT_MS);
    this.#contexts.push(context);
    return new Visitor(context, `${this.#server.origin}/`);
  }

  /** Forgets all visitors. */
  async clear(): Promise<void> {
    await Promise.all(this.#contexts.splice(0).map((context) => context.close()));
  }

  async close(): Promise<void> {
    await this.#browser.close();
    await this.#server.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Whoever opens the playground, in one tab or several. */
export class Visitor {
  readonly #context: BrowserContext;
  readonly #url: string;
  /** What the console was told as an error, violations of the policy among it, and exceptions that nobody caught. */
  readonly faults: string[] = [];

  constructor(context: BrowserContext, url: string) {
    this.#context = context;
    this.#url = url;
    context.on("page", (page) => {
      page.on("pageerror", (error) => this.faults.push(String(error)));
      page.on("console", (message) => {
        if (message.type() === "error") this.faults.push(message.text());
      });
    });
  }

  /** Opens a tab, and waits until its database is open and its worker runs. */
  async open(query = ""): Promise<Page> {
    const page = await this.#context.newPage();
    await page.goto(`${this.#url}${query}`);
    await ready(page);
    return page;
  }
}

/** Waits until the page has its database and its worker. */
export async function ready(page: Page): Promise<void> {
  await page.locator('.status[data-status="open"]').waitFor();
  await page.getByRole("button", { name: "Stop this tab's worker" }).waitFor();
  await page.locator("#workers .badge").first().waitFor();
}

/** Presses the button of this name; all of it, as one name may be a part of another. */
export async function press(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name, exact: true }).click();
}

/** Presses the button that enqueues a job of this kind. */
export async function pressKind(page: Page, kind: string): Promise<void> {
  await page
    .locator("#enqueue button.kind")
    .filter({ hasText: new RegExp(`^${kind}`) })
    .click();
}

/** Presses the button of the question that is open. */
export async function confirm(page: Page, name: string): Promise<void> {
  await page.getByRole("dialog").getByRole("button", { name, exact: true }).click();
}

/** Waits until a place says this. */
export async function says(page: Page, place: string, text: string | RegExp): Promise<void> {
  await page.locator(place).filter({ hasText: text }).first().waitFor();
}

/** Enqueues a job of the visitor's own. */
export async function enqueue(page: Page, job: { task?: string; queue?: string; args: string }): Promise<void> {
  const form = page.getByRole("form", { name: "A job of your own" });
  await form.getByLabel("Task").fill(job.task ?? "demo.echo");
  await form.getByLabel("Queue").fill(job.queue ?? "default");
  await form.getByLabel("Arguments").fill(job.args);
  await form.getByRole("button", { name: "Enqueue" }).click();
}
