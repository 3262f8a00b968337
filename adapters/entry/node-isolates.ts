import { Worker } from "node:worker_threads";
import type { IsolateHost, IsolateLimits, IsolatePort } from "../../src/contracts/isolate-host.ts";

/** Node's worker threads. Each sees a copy of the environment; what it prints goes to the program's own output. */
export const nodeIsolates: IsolateHost = { spawn };

function spawn({ maxMemoryMb }: IsolateLimits): IsolatePort {
  const worker = new Worker(new URL("./node-isolate-thread.js", import.meta.url), {
    name: "stem-sqlite isolate",
    stdin: false,
    ...(maxMemoryMb === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: maxMemoryMb } }),
    // Loaders and conditions of the program hold for handlers as well; this flag a thread does not take.
    ...(process.execArgv.some((flag) => flag.startsWith("--input-type")) ? { execArgv: [] } : {}),
  });
  worker.unref();
  let fault: unknown;
  worker.on("error", (error) => (fault = error));
  return {
    postMessage: (message) => worker.postMessage(message),
    onMessage: (listener) => void worker.on("message", listener),
    onExit: (listener) =>
      void worker.on("exit", (code) =>
        listener({ code, isOutOfMemory: isOutOfMemory(fault), ...(fault === undefined ? {} : { fault }) }),
      ),
    keepAlive: (on) => (on ? worker.ref() : worker.unref()),
    terminate: async () => void (await worker.terminate()),
  };
}

function isOutOfMemory(fault: unknown): boolean {
  return fault instanceof Error && (fault as NodeJS.ErrnoException).code === "ERR_WORKER_OUT_OF_MEMORY";
}
