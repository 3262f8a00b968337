// A queue for a test: real stores in memory, a clock that stands still, and tasks that run when the test says so.
import { defineTask } from "stem-sqlite";
import { openTestQueue } from "stem-sqlite/testing";
import type { ExampleContext } from "./example.ts";

const DAY = 86_400_000;

const flaky = defineTask(
  "demo.flaky",
  async ({ attempt }) => {
    if (attempt < 2) throw new Error(`attempt ${attempt} failed`);
    return `succeeded at attempt ${attempt}`;
  },
  { maxRetries: 3, retryPolicy: { backoff: true, defaultDelay: 60_000 } },
);
const hello = defineTask("demo.hello", async (_context, args: { name: string }) => `Hello ${args.name}`);
const endless = defineTask("demo.endless", async () => new Promise<void>(() => undefined));

export async function run({ log }: ExampleContext): Promise<void> {
  await using queue = await openTestQueue({ tasks: [flaky, hello, endless], patience: 500 });

  await flaky.enqueue(queue.stem);
  const id = await hello.enqueue(queue.stem, { name: "world" }, { enqueueOptions: { countdown: 3 * DAY } });
  log(
    `enqueued ${queue
      .enqueued()
      .map(({ id: taskId, name }) => `${taskId} ${name}`)
      .join(", ")}`,
  );

  const now = await queue.drain();
  log(`ready: ${now.succeeded} succeeded, ${now.retried} to be retried`);
  const later = await queue.drain({ skipTime: true });
  log(`later: ${later.succeeded} succeeded, ${later.retried} to be retried`);
  log(`${await queue.result<string>(id)} on ${new Date(queue.clock.now()).toISOString()}`);

  log(await queue.run(flaky));

  await endless.enqueue(queue.stem);
  // A handler that never returns does not hang the test.
  const error = await queue.drain().catch((thrown: unknown) => thrown);
  log(String(error));
}

export const expected: readonly string[] = [
  "enqueued task-1 demo.flaky, task-2 demo.hello",
  "ready: 0 succeeded, 1 to be retried",
  "later: 2 succeeded, 1 to be retried",
  "Hello world on 2026-01-04T00:00:00.000Z",
  "succeeded at attempt 2",
  'NotDrainedError: The queue does not come to rest: nothing began or ended within 500 ms of real time, while its clock stood still; not ended: "demo.endless" (task-4).',
];
