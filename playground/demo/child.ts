// The process that gets killed: enqueues the jobs that were not acknowledged yet, and works on them.
import { SqliteBroker, SqliteResultBackend, Stem, type TaskContext, Worker } from "stem-sqlite";
import { CONCURRENCY, demoJobs, demoTasks } from "./jobs.ts";
import type { ChildTask, FromChild, ToChild } from "./messages.ts";

/** Enqueued and not ended yet, at most: the producer is as steady as the worker, so that the kill meets both. */
const MAX_AHEAD = 60;

const task = JSON.parse(process.argv[2] ?? "{}") as ChildTask;
const acknowledged = new Set(task.acknowledged);
const ended = new Set(task.ended);
let onEnded: (() => void) | undefined;
let isHolding = false;
let held = 0;

function tell(message: FromChild): void {
  process.send?.(message);
}

/** Called in the middle of every job. */
async function begin(context: TaskContext): Promise<void> {
  if (context.deliveries > 1) tell({ type: "redelivered", id: context.id });
  if (!isHolding) return;
  held += 1;
  tell({ type: "holding", jobs: held });
  await new Promise<never>(() => undefined);
}

function end(id: string): void {
  if (ended.has(id)) return;
  ended.add(id);
  tell({ type: "ended", id });
  onEnded?.();
}

async function enqueueAll(stem: Stem): Promise<void> {
  for (const { name, ...job } of demoJobs()) {
    const id = job.enqueueOptions.taskId;
    if (acknowledged.has(id)) continue;
    while (acknowledged.size - ended.size >= MAX_AHEAD) await new Promise<void>((resolve) => (onEnded = resolve));
    // The killed process may have stored it and could not say so any more: the id tells, and nothing is stored twice.
    await stem.enqueue(name, job);
    acknowledged.add(id);
    tell({ type: "acknowledged", id });
  }
}

process.on("message", (message: ToChild) => {
  if (message.type === "hold") isHolding = true;
});
// The demo is gone: nobody would ever see the rest.
process.on("disconnect", () => process.exit(1));

const broker = await SqliteBroker.open(task.brokerFile);
const backend = await SqliteResultBackend.open(task.backendFile);
const tasks = demoTasks(begin);
const stem = new Stem({ broker, backend, tasks });
const worker = new Worker({ broker, backend, tasks, concurrency: CONCURRENCY, prefetch: CONCURRENCY });
worker.on("completed", ({ envelope }) => end(envelope.id));
worker.on("failed", ({ envelope }) => end(envelope.id));

await worker.start();
await enqueueAll(stem);
for (const id of acknowledged) {
  await stem.waitForTask(id);
  // What the killed process could not tell any more is in the files.
  end(id);
}
await worker.shutdown();
await backend.close();
await broker.close();
tell({ type: "finished" });
process.disconnect();
