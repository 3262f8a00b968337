// Runs the tasks until SIGINT or SIGTERM: `npm run example:worker`.
import { resolve } from "node:path";
import { SqliteBroker, SqliteResultBackend, Worker } from "stem-sqlite";
import { MIXED_QUEUE } from "./audit.ts";
import { resolveDatabasePaths } from "./database-paths.ts";
import { mixedTasks } from "./tasks.ts";

/** A second signal of the same kind ends the process at once, as it would without us. */
const shutdownRequested = new Promise<void>((request) => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => request());
});

/** Ends with the worker, which a `WorkerControl` may stop as well. */
async function ended(stopped: Worker): Promise<void> {
  for await (const event of stopped.events) {
    if (event.type === "error") console.error(event.error);
  }
}

const paths = resolveDatabasePaths();
const broker = await SqliteBroker.open(paths.broker);
const backend = await SqliteResultBackend.open(paths.backend);
try {
  const worker = new Worker({
    broker,
    backend,
    tasks: mixedTasks,
    queue: MIXED_QUEUE,
    consumerName: process.env["WORKER_NAME"] || "task-context-worker",
    concurrency: 2,
    prefetchMultiplier: 1,
    lifecycle: { installSignalHandlers: false },
  });
  console.log(`Worker started. SQLite broker: ${resolve(paths.broker)} backend: ${resolve(paths.backend)}`);
  await worker.start();
  await Promise.race([shutdownRequested.then(() => console.log("Shutdown requested.")), ended(worker)]);
  await worker.shutdown({ mode: "warm" });
} finally {
  await broker.close();
  await backend.close();
}
