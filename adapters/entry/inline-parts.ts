import { EngineError, UnsupportedEnvironmentError } from "../../src/errors.ts";
import type { BrowserParts } from "./browser-parts.ts";
import { startModuleWorker } from "./module-worker.ts";

/** The source of `browser-engine-thread.js`. Both are put in place when the package is bundled. */
declare const ENGINE_THREAD_SOURCE: string;
/** `sqlite3.wasm`, with gzip and in base64. */
declare const ENGINE_GZIP_BASE64: string;

const HINT = "a page's policy has to allow it (worker-src blob:); stem-sqlite without /inline needs no Blob";

let source: string | undefined;
let engine: Promise<WebAssembly.Module> | undefined;

/** Everything is in the file that this module is part of. */
export const inlineParts: BrowserParts = {
  canStartWorkers: () => typeof Worker === "function",
  startWorker() {
    source ??= URL.createObjectURL(new Blob([ENGINE_THREAD_SOURCE], { type: "text/javascript" }));
    return startModuleWorker(source, HINT);
  },
  workerNotLoaded: () => new UnsupportedEnvironmentError(`a worker that is made from a Blob; ${HINT}`),
  engineForWorker: loadEngine,
  loadEngine,
};

/** Compiled once in a page; workers are given the compiled module. */
function loadEngine(): Promise<WebAssembly.Module> {
  engine ??= unpack().catch((error: unknown) => {
    engine = undefined;
    throw new EngineError("sqlite3.wasm, which is inside stem-sqlite/inline, could not be compiled", { cause: error });
  });
  return engine;
}

async function unpack(): Promise<WebAssembly.Module> {
  if (typeof DecompressionStream !== "function") throw new UnsupportedEnvironmentError("DecompressionStream");
  const packed = Uint8Array.from(atob(ENGINE_GZIP_BASE64), (character) => character.charCodeAt(0));
  const bytes = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return WebAssembly.compile(await new Response(bytes).arrayBuffer());
}
