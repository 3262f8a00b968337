// A handler reports its progress; the worker tells what happens to every task, live.
import { defineTask, SqliteBroker, SqliteResultBackend, Stem, Worker } from "stem-sqlite";
import type { ExampleContext } from "./example.ts";

const convert = defineTask(
  "video.convert",
  async (context, { minutes }: { minutes: number }) => {
    for (let minute = 1; minute <= minutes; minute++) {
      context.progress(minute / minutes, { minute });
      if (minute === 2 && context.attempt === 0) throw new RangeError("a frame is damaged");
    }
    return `${minutes} minutes`;
  },
  { maxRetries: 1, retryPolicy: { defaultDelay: 300 } },
);

export async function run({ file, log }: ExampleContext): Promise<void> {
  const broker = await SqliteBroker.open(file("broker.sqlite"));
  const backend = await SqliteResultBackend.open(file("backend.sqlite"));
  const stem = new Stem({ broker, backend, tasks: [convert] });
  const worker = new Worker({ broker, backend, tasks: [convert] });

  worker.on("started", ({ envelope }) => log(`started, attempt ${envelope.attempt}`));
  worker.on("progress", ({ fraction }) => log(`${Math.round(fraction * 100)} %`));
  worker.on("retried", ({ error }) => log(`retried after ${error.type}: ${error.message}`));
  const completed = new Promise<void>((resolve) => {
    worker.on("completed", ({ envelope }) => {
      log(`completed ${envelope.id}`);
      resolve();
    });
  });

  await worker.start();
  await convert.enqueue(stem, { minutes: 4 }, { enqueueOptions: { taskId: "trailer" } });
  await completed;

  await worker.shutdown();
  await backend.close();
  await broker.close();
}

export const expected: readonly string[] = [
  "started, attempt 0",
  "25 %",
  "50 %",
  "retried after RangeError: a frame is damaged",
  "started, attempt 1",
  "25 %",
  "50 %",
  "75 %",
  "100 %",
  "completed trailer",
];
