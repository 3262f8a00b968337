import { signal } from "@preact/signals";
import { configureBrowser } from "stem-sqlite/browser";
import type { HangOrder } from "./engine-thread.ts";
// oxlint-disable-next-line import/default -- Vite makes the module: it is the address of the bundled worker.
import threadUrl from "./engine-thread.ts?worker&url";

/** The workers of this tab that an engine runs in: one while this tab owns the database, none else. */
export const engineWorkers = signal<readonly Worker[]>([]);

const NAME = "stem-sqlite";
/** Longer than anybody waits for an engine. */
const HANG_MS = 120_000;

/** Keeps what the package starts, so that buttons can crash it and have it hang. Before the first database is opened. */
export function watchEngineWorkers(): void {
  configureBrowser({ workerUrl: threadUrl });
  const Original = globalThis.Worker;
  globalThis.Worker = class extends Original {
    constructor(url: string | URL, options?: WorkerOptions) {
      super(url, options);
      if (options?.name === NAME) engineWorkers.value = [...engineWorkers.value, this];
    }

    override terminate(): void {
      super.terminate();
      engineWorkers.value = engineWorkers.value.filter((worker) => worker !== this);
    }
  };
}

/** Ends the engine's worker in the middle of whatever it does, as an error in it would. */
export function crashEngineWorkers(): number {
  const workers = engineWorkers.value;
  for (const worker of workers) {
    worker.terminate();
    worker.dispatchEvent(new ErrorEvent("error", { message: "crashed on purpose" }));
  }
  return workers.length;
}

/** Has the engine's worker be busy with nothing, as an endless loop in it would. */
export function hangEngineWorkers(): number {
  const order: HangOrder = { hangForMs: HANG_MS };
  for (const worker of engineWorkers.value) worker.postMessage(order);
  return engineWorkers.value.length;
}
