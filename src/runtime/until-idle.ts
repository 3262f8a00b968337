import type { Broker } from "../contracts/broker.ts";
import type { Clock } from "../contracts/clock.ts";
import type { Milliseconds } from "../core/duration.ts";
import { sleep } from "./sleep.ts";
import type { TaskPool } from "./task-pool.ts";

/** Time a delivery that is on its way may take to arrive. */
const ARRIVAL_MS: Milliseconds = 20;

/** What {@link untilIdle} looks at. */
export interface IdleSources {
  readonly broker: Broker;
  /** Those that are worked on at this moment. */
  readonly queues: () => readonly string[];
  readonly pool: TaskPool;
  readonly clock: Clock;
  /** Deliveries the worker has been given so far. */
  readonly received: () => number;
  /** Ends the wait. */
  readonly signal: AbortSignal;
}

/**
 * Resolves when the worker holds nothing and its queues hold nothing that could be delivered now. Messages that other
 * consumers hold, and delayed ones, are not waited for.
 */
export async function untilIdle(sources: IdleSources): Promise<void> {
  const { pool, clock, received, signal } = sources;
  const ended = aborted(signal);
  let quietBefore = -1;
  while (!signal.aborted) {
    await Promise.race([pool.drained(), ended]);
    const seen = received();
    const { pending, inflight } = await countsOf(sources);
    if (pool.size > 0 || received() !== seen) continue;
    if (pending === 0 && inflight === 0) return;
    // What is in flight may be on its way to this worker: the second look without an arrival says it is not.
    if (pending === 0 && quietBefore === seen) return;
    quietBefore = pending === 0 ? seen : -1;
    await sleep(clock, ARRIVAL_MS, signal);
  }
}

/** A broker that cannot count says null: then nothing is known to be pending, and something may be in flight. */
async function countsOf({ broker, queues }: IdleSources): Promise<{ pending: number; inflight: number }> {
  const counts = await Promise.all(
    queues().map((queue) => Promise.all([broker.pendingCount(queue), broker.inflightCount(queue)])),
  );
  return {
    pending: counts.reduce((sum, [pending]) => sum + (pending ?? 0), 0),
    inflight: counts.reduce((sum, [, inflight]) => sum + (inflight ?? 1), 0),
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
