import type { EnginePort } from "../../src/contracts/platform.ts";
import { fireDueTimers } from "../../src/ports/system-clock.ts";
import type { BrowserParts } from "./browser-parts.ts";
import { TICK } from "./browser-tick.ts";

/** The first message to the engine's worker. */
export interface StartEngine {
  readonly type: "start";
  /** The name of the storage driver to open databases with. */
  readonly storage: string;
  /** The address of the engine, or the engine. */
  readonly engine: string | WebAssembly.Module;
}

/** Starts a dedicated worker that opens one database through the storage driver of this name. */
export async function spawnBrowserEngine(parts: BrowserParts, storage: string): Promise<EnginePort> {
  const given = parts.engineForWorker();
  const engine = typeof given === "string" ? given : await given;
  const worker = parts.startWorker();
  let onExit: (fault: unknown) => void = () => undefined;
  let hasEnded = false;
  const end = (fault: unknown): void => {
    if (hasEnded) return;
    hasEnded = true;
    worker.terminate();
    onExit(fault);
  };
  worker.addEventListener("error", (event) => end(faultOf(event) ?? parts.workerNotLoaded()));
  worker.addEventListener("messageerror", () => end(new Error("A message of the engine's worker could not be read.")));
  const start: StartEngine = { type: "start", storage, engine };
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

/** `undefined` for the event of a module that could not be loaded: it says nothing at all. */
function faultOf(event: object): Error | undefined {
  const { message } = event as { readonly message?: unknown };
  return typeof message === "string" && message !== ""
    ? new Error(`The engine's worker failed: ${message}.`)
    : undefined;
}
