// A program whose task prints from its thread; nothing here ends the process.
import { defineIsolatedTask, InMemoryBroker, InMemoryResultBackend, Stem, Worker } from "stem-sqlite";
import type * as handlers from "./isolated-handlers.ts";

const print = defineIsolatedTask<typeof handlers, "print">(
  "print",
  new URL("./isolated-handlers.js", import.meta.url),
  { exportName: "print" },
);
const broker = new InMemoryBroker();
const backend = new InMemoryResultBackend();
const stem = new Stem({ broker, backend, tasks: [print] });
const worker = new Worker({ broker, backend, tasks: [print] });
await worker.start();
await print.enqueueAndWait(stem, { text: "printed in a thread" });
await worker.shutdown();
await backend.close();
await broker.close();
console.log("end of program");
