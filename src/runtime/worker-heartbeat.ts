import type { WorkerHeartbeat } from "../contracts/result-backend.ts";
import type { LeaseKeeper } from "./lease-keeper.ts";
import { repeat, type Repetition } from "./repeat.ts";
import type { TaskPool } from "./task-pool.ts";
import type { RunCounts } from "./task-execution.ts";
import type { WorkerEvents } from "./worker-events.ts";
import type { ResolvedWorkerOptions } from "./worker-options.ts";

/** Format of the heartbeat row. */
const HEARTBEAT_VERSION = "1";

/** Where a heartbeat's numbers come from. */
export interface HeartbeatSources {
  readonly options: ResolvedWorkerOptions;
  readonly pool: TaskPool;
  readonly leases: LeaseKeeper;
  readonly counts: Readonly<RunCounts>;
  readonly startedAt: number;
}

/** Begins both heartbeats: events of the running tasks, and the worker's row in the backend, the first at once. */
export function startHeartbeats(
  sources: HeartbeatSources,
  events: WorkerEvents,
  onError: (error: unknown) => void,
): readonly Repetition[] {
  const { clock, heartbeatInterval, workerHeartbeatInterval, backend } = sources.options;
  const beat = (): void => {
    for (const { envelope, phase } of sources.pool.held) {
      if (phase === "running") events.emit({ type: "heartbeat", envelope });
    }
  };
  const writeRow = async (): Promise<void> => backend?.setWorkerHeartbeat(currentHeartbeat(sources));
  writeRow().catch(onError);
  return [
    repeat(beat, { clock, interval: heartbeatInterval, onError }),
    // This one keeps the process alive, whether or not there is a backend to write to.
    repeat(writeRow, { clock, interval: workerHeartbeatInterval, keepAlive: true, onError }),
  ];
}

/** The worker as it is at this moment, for the backend's list of workers. */
function currentHeartbeat(sources: HeartbeatSources): WorkerHeartbeat {
  const { options, pool, leases, counts, startedAt } = sources;
  const now = options.clock.now();
  const inflight = new Map(options.subscription.queues.map((name) => [name, 0]));
  for (const { envelope } of pool.held) inflight.set(envelope.queue, (inflight.get(envelope.queue) ?? 0) + 1);
  return {
    workerId: options.consumerName,
    namespace: options.heartbeatNamespace,
    timestamp: new Date(now),
    isolateCount: options.concurrency,
    inflight: pool.held.size,
    queues: [...inflight].map(([name, count]) => ({ name, inflight: count })),
    ...(leases.lastRenewal === undefined ? {} : { lastLeaseRenewal: leases.lastRenewal }),
    version: HEARTBEAT_VERSION,
    extras: {
      concurrency: options.concurrency,
      prefetch: options.prefetch,
      startedAt: new Date(startedAt).toISOString(),
      uptimeMs: now - startedAt,
      started: counts.started,
      completed: counts.completed,
      failed: counts.failed,
      subscriptions: [...options.subscription.queues, ...options.subscription.broadcastChannels],
    },
  };
}
