import { signal } from "@preact/signals";

/** The workers of this tab that an engine runs in: one while this tab owns the database, none else. */
export const engineWorkers = signal<readonly Worker[]>([]);

const NAME = "stem-sqlite";

/** Keeps what the package starts, so that a button can crash it. Before the first database is opened. */
export function watchEngineWorkers(): void {
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
