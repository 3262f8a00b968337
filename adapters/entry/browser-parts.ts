import type { StemError } from "../../src/errors.ts";

/** A dedicated worker, as the page's `Worker` makes it. */
export interface EngineWorker {
  postMessage(message: unknown): void;
  terminate(): void;
  addEventListener(type: string, listener: (event: object) => void): void;
}

/** Where a page's parts come from: files beside the module (`separate-files.ts`), or one file (`inline-parts.ts`). */
export interface BrowserParts {
  canStartWorkers(): boolean;
  /** Starts the engine's worker; throws `UnsupportedEnvironmentError` where that is refused. */
  startWorker(): EngineWorker;
  /** Why the worker's code could not be loaded: the event that says so has no reason in it. */
  workerNotLoaded(): StemError;
  /** The engine as a worker is given it: its address, or, where it has none, compiled. */
  engineForWorker(): string | Promise<WebAssembly.Module>;
  /** The engine for this thread. */
  loadEngine(): Promise<WebAssembly.Module>;
}
