// Work that keeps a processor busy runs in a thread of its own, where it blocks nobody and can be ended by force.
import { defineIsolatedTask, SqliteBroker, SqliteResultBackend, Stem, Worker } from "stem-sqlite";
import type { ExampleContext } from "./example.ts";
import type * as heavyWork from "./heavy-work.ts";

type Work = typeof heavyWork;
const work = new URL("./heavy-work.js", import.meta.url);

const countPrimes = defineIsolatedTask<Work, "countPrimes">("primes.count", work, { exportName: "countPrimes" });
const loopForEver = defineIsolatedTask<Work, "loopForEver">("loop", work, {
  exportName: "loopForEver",
  hardTimeLimit: 300,
});
const leave = defineIsolatedTask<Work, "leave">("leave", work, { exportName: "leave", maxMemoryMb: 64 });

export async function run({ file, log }: ExampleContext): Promise<void> {
  const broker = await SqliteBroker.open(file("broker.sqlite"));
  const backend = await SqliteResultBackend.open(file("backend.sqlite"));
  const tasks = [countPrimes, loopForEver, leave];
  const stem = new Stem({ broker, backend, tasks });
  const worker = new Worker({ broker, backend, tasks, concurrency: 1 });
  worker.on("progress", ({ fraction }) => log(`${fraction * 100} %`));
  await worker.start();

  const primes = await countPrimes.enqueueAndWait(stem, { below: 100_000 });
  log(`${primes?.value} primes below 100000`);

  for (const task of [loopForEver, leave]) {
    const result = await task.enqueueAndWait(stem);
    log(`${task.name} failed: ${result?.status?.error?.message}`);
  }

  await worker.shutdown();
  await backend.close();
  await broker.close();
}

export const expected: readonly string[] = [
  "25 %",
  "50 %",
  "75 %",
  "9592 primes below 100000",
  'loop failed: Task "loop" did not finish within 300 ms.',
  'leave failed: The isolated handler of task "leave" ended its thread with exit code 3.',
];
