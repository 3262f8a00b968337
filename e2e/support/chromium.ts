import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, type CDPSession, chromium, type Page } from "playwright";
import { BROWSER_ARGUMENTS, findBrowser } from "../../scripts/find-browser.mjs";

/** A browser with a profile on disk, which outlives it. */
export class Chromium {
  readonly #profile: string;
  readonly #options: LaunchOptions;
  #context: BrowserContext;

  private constructor(profile: string, context: BrowserContext, options: LaunchOptions) {
    this.#profile = profile;
    this.#context = context;
    this.#options = options;
  }

  /** Starts one with an empty profile. */
  static async launch(options: LaunchOptions = {}): Promise<Chromium> {
    const profile = await mkdtemp(join(tmpdir(), "stem-sqlite-profile-"));
    return new Chromium(profile, await start(profile, options), options);
  }

  /** Opens a page in a new tab and waits until it has its `queue`. */
  async open(url: string): Promise<Tab> {
    const tab = new Tab(await this.#context.newPage());
    await tab.goto(url);
    return tab;
  }

  /** Gives all pages a function that calls this one, and waits for it. */
  async expose(name: string, listener: (value: unknown) => void): Promise<void> {
    await this.#context.exposeBinding(name, (_source, value: unknown) => listener(value));
  }

  async closeTabs(): Promise<void> {
    await Promise.all(this.#context.pages().map((page) => page.close()));
  }

  /** Ends the browser as a crash would, and starts it again on the same profile. */
  async crash(tab: Tab): Promise<void> {
    const context = this.#context;
    const ended = new Promise((resolve) => context.once("close", resolve));
    await tab.send("Browser.crash");
    await ended;
    this.#context = await start(this.#profile, this.#options);
  }

  async close(): Promise<void> {
    await this.#context.close();
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** How a browser differs from the usual one of the tests. */
interface LaunchOptions {
  readonly args?: readonly string[];
  /** Pages are put aside when one leaves them, which Playwright forbids otherwise. */
  readonly keepsPages?: boolean;
}

async function start(profile: string, { args = [], keepsPages = false }: LaunchOptions): Promise<BrowserContext> {
  const executablePath = findBrowser();
  if (executablePath === undefined) throw new Error("No browser was found.");
  return chromium.launchPersistentContext(profile, {
    executablePath,
    args: [...BROWSER_ARGUMENTS, ...args],
    ...(keepsPages ? { ignoreDefaultArgs: ["--disable-back-forward-cache"] } : {}),
  });
}

type Calls = Readonly<Record<string, (...args: readonly unknown[]) => Promise<unknown>>>;

/** One tab, with the module `queue.mjs` in it. */
export class Tab {
  readonly #page: Page;
  /** What went wrong in the page and was caught by nobody. */
  readonly faults: string[] = [];
  /** The limit holds as long as this session. */
  #quota: CDPSession | undefined;
  #lifecycle: CDPSession | undefined;

  constructor(page: Page) {
    this.#page = page;
    page.on("pageerror", (error) => this.faults.push(String(error)));
  }

  async goto(url: string): Promise<void> {
    await this.#page.goto(url);
    await this.#ready();
  }

  /** Goes to a page that has no queue. */
  async leave(url: string): Promise<void> {
    await this.#page.goto(url);
  }

  /** A page that comes out of the browser's cache takes the place of the one before: Chromium may say it was aborted. */
  async goBack(): Promise<void> {
    const left = this.#page.url();
    try {
      await this.#page.goBack({ waitUntil: "commit" });
    } catch (error) {
      if (!String(error).includes("ERR_ABORTED")) throw error;
      await this.#page.waitForURL((url) => url.href !== left, { waitUntil: "commit" });
    }
    await this.#ready();
  }

  /** Stops or resumes all of the page, as a browser does to save energy. */
  async setFrozen(isFrozen: boolean): Promise<void> {
    this.#lifecycle ??= await this.#page.context().newCDPSession(this.#page);
    await this.#lifecycle.send("Page.setWebLifecycleState", { state: isFrozen ? "frozen" : "active" });
  }

  /** Removes what the origin has stored, of these types, as a browser does that is short of room. */
  async clearStorage(storageTypes: string): Promise<void> {
    this.#lifecycle ??= await this.#page.context().newCDPSession(this.#page);
    await this.#lifecycle.send("Storage.clearDataForOrigin", {
      origin: new URL(this.#page.url()).origin,
      storageTypes,
    });
  }

  async reload(): Promise<void> {
    await this.#page.reload();
    await this.#ready();
  }

  /** Calls a function of `queue.mjs`; JSON values go in and come out. */
  async call<T = unknown>(name: string, ...args: readonly unknown[]): Promise<T> {
    return (await this.#page.evaluate(
      ([called, given]) => {
        const { queue } = globalThis as unknown as { queue: Calls };
        return queue[called]?.(...given);
      },
      [name, args] as const,
    )) as T;
  }

  /** Sends a command of the browser's own protocol; does not wait for its answer, as some end the tab. */
  async send(command: "Browser.crash" | "Page.crash"): Promise<void> {
    const session = await this.#page.context().newCDPSession(this.#page);
    session.send(command).catch(() => undefined);
  }

  /** How many bytes the origin may store; what the browser thinks right without a number. */
  async setQuota(bytes?: number): Promise<void> {
    this.#quota ??= await this.#page.context().newCDPSession(this.#page);
    const { origin } = new URL(this.#page.url());
    const quota = bytes === undefined ? {} : { quotaSize: bytes };
    await this.#quota.send("Storage.overrideQuotaForOrigin", { origin, ...quota });
  }

  async close(): Promise<void> {
    await this.#page.close();
  }

  async #ready(): Promise<void> {
    await this.#page.waitForFunction(() => "queue" in globalThis);
  }
}
