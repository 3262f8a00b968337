import { Worker } from "node:worker_threads";
import type { EnginePort } from "../../src/contracts/platform.ts";

/** Starts a thread that opens one database on files. */
export async function spawnNodeEngine(): Promise<EnginePort> {
  const worker = new Worker(new URL("./node-engine-thread.js", import.meta.url), {
    name: "stem-sqlite engine",
    // The engine needs nothing of the program's arguments, and no flags that only make sense in the main thread.
    argv: [],
    execArgv: [],
    stdin: false,
  });
  let fault: unknown;
  worker.on("error", (error) => (fault = error));
  return {
    postMessage: (message) => worker.postMessage(message),
    onMessage: (listener) => void worker.on("message", listener),
    onExit: (listener) => void worker.on("exit", () => listener(fault)),
    keepAlive: (on) => (on ? worker.ref() : worker.unref()),
    terminate: async () => void (await worker.terminate()),
  };
}
