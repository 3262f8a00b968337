import { signal } from "@preact/signals";
import { Worker } from "stem-sqlite";
import { logWorker } from "./event-log.ts";
import { describeError, notify } from "./notices.ts";
import { sampleWorker } from "./samples.ts";
import { currentSession } from "./session.ts";
import { TAB } from "./tab.ts";
import { QUEUES, TASKS } from "./tasks.ts";

export const HEARTBEAT_MS = 2_000;
const DEFAULT_CONCURRENCY = 16;

export const tabWorker = signal<Worker | undefined>(undefined);
export const concurrency = signal(DEFAULT_CONCURRENCY);
/** Queues that are not worked on, as far as this tab's worker knows. */
export const pausedQueues = signal<readonly string[]>([]);

let number = 0;

/** Starts this tab's worker; a worker that has stopped cannot be started again, so it is a new one each time. */
export async function startTabWorker(): Promise<void> {
  if (tabWorker.value !== undefined) return;
  number += 1;
  const { broker, backend, revokeStore, workflows } = currentSession();
  const worker = new Worker({
    broker,
    backend,
    revokeStore,
    tasks: [...TASKS, ...workflows.tasks],
    subscription: { queues: QUEUES },
    consumerName: `${TAB}.${number}`,
    concurrency: concurrency.value,
    workerHeartbeatInterval: HEARTBEAT_MS,
  });
  sampleWorker(worker);
  logWorker(worker).catch((error: unknown) => notify("error", describeError(error)));
  const showPauses = (): void => void (pausedQueues.value = worker.pausedQueues);
  worker.on("queue-paused", showPauses);
  worker.on("queue-resumed", showPauses);
  tabWorker.value = worker;
  const forget = (): void => {
    if (tabWorker.value === worker) tabWorker.value = undefined;
  };
  void worker.stopped.then(forget);
  await worker.start();
  showPauses();
}

/** Stops it; running jobs are asked to end and go back to their queue when they do not. */
export async function stopTabWorker(): Promise<void> {
  await tabWorker.value?.shutdown({ mode: "hard" });
}
