import type { EnginePort } from "../../src/contracts/platform.ts";
import { UnsupportedEnvironmentError } from "../../src/errors.ts";
import { fireDueTimers } from "../../src/ports/system-clock.ts";
import { browserOptions, type EngineWorker } from "./browser-options.ts";
import { TICK } from "./browser-tick.ts";

/** The first message to the engine's worker. */
export interface StartEngine {
  readonly type: "start";
  /** The name of the storage driver to open databases with. */
  readonly storage: string;
  readonly wasmUrl: string | undefined;
}

/** Starts a dedicated worker that opens one database through the storage driver of this name. */
export async function spawnBrowserEngine(storage: string): Promise<EnginePort> {
  const worker = createWorker();
  let onExit: (fault: unknown) => void = () => undefined;
  let hasEnded = false;
  const end = (fault: unknown): void => {
    if (hasEnded) return;
    hasEnded = true;
    worker.terminate();
    onExit(fault);
  };
  worker.addEventListener("error", (event) => end(faultOf(event)));
  worker.addEventListener("messageerror", () => end(new Error("A message of the engine's worker could not be read.")));
  const { wasmUrl } = browserOptions();
  const start: StartEngine = { type: "start", storage, wasmUrl: wasmUrl === undefined ? undefined : String(wasmUrl) };
  worker.postMessage(start);
  return {
    postMessage: (message) => worker.postMessage(message),
    onMessage: (listener) => {
      worker.addEventListener("message", (event) => {
        const { data } = event as { readonly data: unknown };
        if (hasEnded) return;
        if (data === TICK) fireDueTimers();
        else listener(data);
      });
    },
    onExit: (listener) => (onExit = listener),
    // A page lives as long as its tab.
    keepAlive: () => undefined,
    terminate: async () => end(undefined),
  };
}

function createWorker(): EngineWorker {
  const options = browserOptions();
  if (options.createWorker !== undefined) return options.createWorker();
  try {
    if (options.workerUrl !== undefined) return new Worker(options.workerUrl, { type: "module", name: "stem-sqlite" });
    // Bundlers look for exactly this.
    return new Worker(new URL("./browser-engine-thread.js", import.meta.url), { type: "module", name: "stem-sqlite" });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UnsupportedEnvironmentError(`a worker for the engine (${reason}); see configureBrowser`);
  }
}

/** The event of a module that could not be loaded says nothing at all. */
function faultOf(event: object): Error {
  const { message } = event as { readonly message?: unknown };
  const text = typeof message === "string" && message !== "" ? message : "its module could not be loaded";
  return new Error(`The engine's worker failed: ${text}. Where it is loaded from is told to configureBrowser.`);
}
