// What is due runs by priority, then in the order of enqueueing; what is not due yet waits, whatever its priority.
import { defineTask, SqliteBroker, SqliteResultBackend, Stem, Worker } from "stem-sqlite";
import type { ExampleContext } from "./example.ts";

export async function run({ file, log }: ExampleContext): Promise<void> {
  const note = defineTask("note", async (_context, { text }: { text: string }) => log(text));
  const broker = await SqliteBroker.open(file("broker.sqlite"));
  const backend = await SqliteResultBackend.open(file("backend.sqlite"));
  const stem = new Stem({ broker, backend, tasks: [note] });
  // One at a time, so that the order shows.
  const worker = new Worker({ broker, backend, tasks: [note], concurrency: 1 });

  await note.enqueue(stem, { text: "ordinary, first" });
  await note.enqueue(stem, { text: "ordinary, second" });
  await note.enqueue(stem, { text: "urgent" }, { enqueueOptions: { priority: 9 } });
  await note.enqueue(stem, { text: "background" }, { enqueueOptions: { priority: -1 } });
  const laterAndUrgent = { countdown: 1_000, priority: 9 };
  const last = await note.enqueue(stem, { text: "later, though urgent" }, { enqueueOptions: laterAndUrgent });

  await worker.start();
  await stem.waitForTask(last);

  await worker.shutdown();
  await backend.close();
  await broker.close();
}

export const expected: readonly string[] = [
  "urgent",
  "ordinary, first",
  "ordinary, second",
  "background",
  "later, though urgent",
];
