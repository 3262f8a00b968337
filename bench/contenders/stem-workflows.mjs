// Durable workflows: messages, results and runs in one file, and one worker for them.
import { join } from "node:path";
import {
  silentLogger,
  SqliteBroker,
  SqliteResultBackend,
  SqliteWorkflowStore,
  Stem,
  Worker,
  WorkflowRuntime,
} from "../lib/stem-sqlite.mjs";

/** Stores, runtime and worker for `workflows`; the worker is not started yet. */
export async function openWorkflows(directory, { durability, concurrency = 1, workflows }) {
  const file = join(directory, "workflows.sqlite");
  const options = { durability, logger: silentLogger };
  const [broker, backend, store] = await Promise.all([
    SqliteBroker.open(file, options),
    SqliteResultBackend.open(file, options),
    SqliteWorkflowStore.open(file, options),
  ]);
  const stem = new Stem({ broker, backend });
  const runtime = new WorkflowRuntime({ stem, broker, backend, store, workflows, logger: silentLogger });
  const { tasks, queues } = runtime;
  const worker = new Worker({ broker, backend, tasks, concurrency, subscription: { queues } });
  return {
    runtime,
    store,
    async start() {
      await runtime.start();
      await worker.start();
    },
    async close() {
      await worker.shutdown();
      await runtime.close();
      await stem.close();
      await Promise.all([store.close(), backend.close(), broker.close()]);
    },
  };
}
