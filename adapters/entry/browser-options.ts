import { mergeOptions } from "../../src/core/options.ts";
import { InvalidOptionError } from "../../src/errors.ts";
import type { EngineWorker } from "./browser-parts.ts";

export type { EngineWorker } from "./browser-parts.ts";

/** Where a page has the parts of this package that are loaded by address. */
export interface BrowserOptions {
  /**
   * The module of the engine's worker, `browser-engine-thread.js`; relative to the page, and of its origin.
   *
   * @defaultValue beside the module that starts it, which is right without a bundler and with most of them
   */
  readonly workerUrl?: string | URL;
  /** The engine, `sqlite3.wasm`; relative to the page. @defaultValue beside the modules, as above */
  readonly wasmUrl?: string | URL;
  /** Makes the engine's worker, instead of `workerUrl`; called for each database that this page comes to own. */
  readonly createWorker?: () => EngineWorker;
}

const DEFAULTS = {
  workerUrl: undefined as string | URL | undefined,
  wasmUrl: undefined as string | URL | undefined,
  createWorker: undefined as (() => EngineWorker) | undefined,
};

/** Addresses are absolute. @internal */
export interface ResolvedBrowserOptions {
  readonly workerUrl: string | undefined;
  readonly wasmUrl: string | undefined;
  readonly createWorker: (() => EngineWorker) | undefined;
}

let current: ResolvedBrowserOptions = { workerUrl: undefined, wasmUrl: undefined, createWorker: undefined };

/**
 * Tells this page where the parts of the package are, for servers and bundlers that move them. Holds for what is opened
 * afterwards, and replaces what was told before; to be called in pages only.
 */
export function configureBrowser(options: BrowserOptions): void {
  const { workerUrl, wasmUrl, createWorker } = mergeOptions(DEFAULTS, options);
  if (createWorker !== undefined && typeof createWorker !== "function") {
    throw new InvalidOptionError("createWorker", createWorker, "a function that makes a worker");
  }
  if (createWorker !== undefined && workerUrl !== undefined) {
    throw new InvalidOptionError("workerUrl", workerUrl, "either this or createWorker");
  }
  current = {
    workerUrl: resolve("workerUrl", workerUrl),
    wasmUrl: resolve("wasmUrl", wasmUrl),
    createWorker,
  };
}

/** What {@link configureBrowser} was told last. @internal */
export function browserOptions(): ResolvedBrowserOptions {
  return current;
}

function resolve(option: string, url: string | URL | undefined): string | undefined {
  if (url === undefined) return undefined;
  const base = (globalThis as { location?: { readonly href: string } }).location?.href;
  try {
    return new URL(url, base).href;
  } catch {
    throw new InvalidOptionError(option, url, "an address");
  }
}
