import { afterEach } from "vitest";
import { defineTask } from "../../../src/runtime/define-task.ts";
import type { TestQueueOptions } from "../../../src/testing/test-queue-options.ts";
import type { TestQueue } from "../../../src/testing/test-queue.ts";

export const DAY = 86_400_000;
export const NOTHING = { succeeded: 0, failed: 0, retried: 0, cancelled: 0, deadLettered: 0 };

export const hello = defineTask("hello", async (_context, { name }: { name: string }) => `Hello ${name}`);
export const broken = defineTask("broken", async () => {
  throw new RangeError("it is broken");
});

/** Tasks that say what they did, and how often they fail first. */
export function tasksOf(log: unknown[]) {
  const note = defineTask("note", async (_context, { text }: { text: string }) => void log.push(text));
  const flaky = defineTask(
    "flaky",
    async ({ attempt }, { failures }: { failures: number }) => {
      log.push(attempt);
      if (attempt < failures) throw new Error(`failure ${attempt}`);
      return attempt;
    },
    { maxRetries: 5, retryPolicy: { backoff: true, defaultDelay: 60_000, backoffMax: DAY } },
  );
  return { note, flaky };
}

export type OpenTestQueue = (options: TestQueueOptions) => Promise<TestQueue>;

/** Opens queues that are closed after each test of the present group. */
export function closingAfterEach(openTestQueue: OpenTestQueue): OpenTestQueue {
  const opened: TestQueue[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((queue) => queue.close()));
  });
  return async (options) => {
    const queue = await openTestQueue(options);
    opened.push(queue);
    return queue;
  };
}
