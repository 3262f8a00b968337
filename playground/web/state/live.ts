import { signal } from "@preact/signals";
import type {
  DeadLetterEntry,
  InflightEntry,
  QueueSummary,
  TaskState,
  TaskStatusPage,
  WorkerHeartbeat,
} from "stem-sqlite";
import { poll, type Reading } from "./polling.ts";

/** Most rows of a table. */
export const ROWS = 50;

export const queues: Reading<readonly QueueSummary[]> = poll(500, ({ broker }) => broker.listQueues());

/** Jobs under a lease, in whatever tab, earliest end first. */
export const inflight: Reading<readonly InflightEntry[]> = poll(500, async ({ broker }) => {
  const busy = (queues.value.peek() ?? []).filter(({ leased }) => leased > 0);
  const pages = await Promise.all(busy.map(({ queue }) => broker.listInflight(queue, { limit: ROWS })));
  return pages.flatMap(({ entries }) => entries).slice(0, ROWS);
});

export const deadLetters: Reading<readonly DeadLetterEntry[]> = poll(1_000, async ({ broker }) => {
  const dead = (queues.value.peek() ?? []).filter((summary) => summary.dead > 0);
  const pages = await Promise.all(dead.map(({ queue }) => broker.listDeadLetters(queue, { limit: ROWS })));
  const entries = pages.flatMap((page) => page.entries);
  return entries.sort((one, other) => other.deadAt.getTime() - one.deadAt.getTime()).slice(0, ROWS);
});

/** Which results are listed; all of them without a state. */
export const resultState = signal<TaskState | undefined>(undefined);

export const results: Reading<TaskStatusPage> = poll(1_000, ({ backend }) => {
  const state = resultState.peek();
  return backend.listTaskStatuses({ limit: ROWS, ...(state === undefined ? {} : { state }) });
});

export const heartbeats: Reading<readonly WorkerHeartbeat[]> = poll(1_000, ({ backend }) =>
  backend.listWorkerHeartbeats(),
);
