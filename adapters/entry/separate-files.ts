import { EngineError } from "../../src/errors.ts";
import type { Platform } from "../../src/contracts/platform.ts";
import type { BrowserParts } from "./browser-parts.ts";
import { loadEngineFrom } from "./browser-host.ts";
import { browserOptions } from "./browser-options.ts";
import { createBrowserPlatform } from "./browser-platform.ts";
import { startModuleWorker } from "./module-worker.ts";

const HINT = "see configureBrowser, or import stem-sqlite/inline";

/**
 * The worker and the engine are files beside this module, unless `configureBrowser` says otherwise. Bundlers look for
 * exactly these two lines: both files are copied as they are, for neither refers to another one.
 */
const workerUrl = (): string =>
  browserOptions().workerUrl ?? new URL("./browser-engine-thread.js", import.meta.url).href;
const wasmUrl = (): string => browserOptions().wasmUrl ?? new URL("./sqlite3.wasm", import.meta.url).href;

/** For tests of the worker alone, too. */
export const separateFiles: BrowserParts = {
  canStartWorkers: () => typeof Worker === "function" || browserOptions().createWorker !== undefined,
  startWorker: () => browserOptions().createWorker?.() ?? startModuleWorker(workerUrl(), HINT),
  workerNotLoaded() {
    const place = browserOptions().createWorker === undefined ? workerUrl() : "where createWorker has it";
    return new EngineError(`its worker could not be loaded from ${place}; ${HINT}`, { retryable: true });
  },
  engineForWorker: wasmUrl,
  loadEngine: () => loadEngineFrom(wasmUrl()),
};

/** The platform of pages that load `stem-sqlite`. */
export const browserPlatform: Platform = createBrowserPlatform(separateFiles);
