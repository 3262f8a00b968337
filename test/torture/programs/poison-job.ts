// Works through a queue in which one task ends the process: `poison-job <folder> enqueue` first, then without.
import { join } from "node:path";
import { defineTask, SqliteBroker, SqliteResultBackend, Stem, Worker } from "stem-sqlite";

const [folder = "", mode = ""] = process.argv.slice(2);
const poison = defineTask("poison", () => process.exit(9));
const good = defineTask("good", (context) => context.id);
const tasks = [poison, good];
const broker = await SqliteBroker.open(join(folder, "broker.sqlite"), { maxDeliveries: 3 });
const backend = await SqliteResultBackend.open(join(folder, "backend.sqlite"));
if (mode === "enqueue") {
  const stem = new Stem({ broker, backend, tasks });
  await stem.enqueue("good", { enqueueOptions: { taskId: "before" } });
  await stem.enqueue("poison", { enqueueOptions: { taskId: "poison" } });
  await stem.enqueue("good", { enqueueOptions: { taskId: "after" } });
} else {
  const worker = new Worker({ broker, backend, tasks, concurrency: 1 });
  await worker.runUntilIdle();
}
await backend.close();
await broker.close();
