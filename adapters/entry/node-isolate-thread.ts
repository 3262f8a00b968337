import { parentPort } from "node:worker_threads";
import type { ToIsolate } from "../../src/runtime/isolate-protocol.ts";
import { serveIsolate } from "../../src/runtime/isolate-thread.ts";

if (parentPort === null) throw new Error("This module is the code of a thread; it is not for import.");
const port = parentPort;

const receive = serveIsolate({
  post: (message) => port.postMessage(message),
  load: (url) => import(url) as Promise<unknown>,
});
port.on("message", (message: ToIsolate) => receive(message));
