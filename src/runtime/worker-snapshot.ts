import type { RevokeEntry } from "../contracts/revoke-store.ts";
import type { ActiveTask, PingReply, RevocationFacts, StatsReply } from "../core/control-payloads.ts";
import type { QueuePauses } from "./queue-pauses.ts";
import type { TaskRun } from "./task-run.ts";
import type { HeartbeatSources } from "./worker-heartbeat.ts";

/** Where the facts about a worker come from. */
export interface WorkerFacts extends HeartbeatSources {
  readonly pauses: QueuePauses;
}

/** Proof of life. */
export function pingReply({ options, pool }: WorkerFacts): PingReply {
  return {
    timestamp: new Date(options.clock.now()).toISOString(),
    queue: options.subscription.queues[0] ?? null,
    inflight: pool.held.size,
    subscriptions: subscriptionsOf(options),
  };
}

/** Settings and counts at this moment. */
export function statsReply(facts: WorkerFacts): StatsReply {
  const { options, pool, counts, pauses, startedAt } = facts;
  const { concurrency, prefetch, subscription, heartbeatNamespace } = options;
  const queues: Record<string, number> = Object.fromEntries(subscription.queues.map((name) => [name, 0]));
  for (const { envelope } of pool.held) queues[envelope.queue] = (queues[envelope.queue] ?? 0) + 1;
  return {
    ...pingReply(facts),
    namespace: heartbeatNamespace,
    pid: processId(),
    concurrency,
    maxConcurrency: concurrency,
    autoscaleEnabled: false,
    prefetch,
    queues,
    pausedQueues: pauses.names,
    active: activeTasks(facts),
    startedAt: new Date(startedAt).toISOString(),
    started: counts.started,
    completed: counts.completed,
    failed: counts.failed,
    retried: counts.retried,
    lastLeaseRenewalMsAgo: sinceLastRenewal(facts),
  };
}

/** The tasks that have begun and are not settled. */
export function activeTasks({ options, pool }: WorkerFacts): readonly ActiveTask[] {
  const now = options.clock.now();
  return [...pool.held].map((run) => activeTask(run, now));
}

/** Milliseconds since a lease was last renewed. */
export function sinceLastRenewal({ options, leases }: WorkerFacts): number | null {
  return leases.lastRenewal === undefined ? null : options.clock.now() - leases.lastRenewal.getTime();
}

/** Queues and channels, paused queues too. */
export function subscriptionsOf({ subscription }: WorkerFacts["options"]): readonly string[] {
  return [...subscription.queues, ...subscription.broadcastChannels];
}

/** A revocation in the form of a message. */
export function revocationFacts(entry: RevokeEntry): RevocationFacts {
  const { taskId, namespace, version, issuedAt, terminate, reason, requestedBy, expiresAt } = entry;
  return {
    taskId,
    namespace,
    version,
    issuedAt: issuedAt.toISOString(),
    terminate,
    ...(reason === undefined ? {} : { reason }),
    ...(requestedBy === undefined ? {} : { requestedBy }),
    ...(expiresAt === undefined ? {} : { expiresAt: expiresAt.toISOString() }),
  };
}

function activeTask({ envelope, phase, startedAt }: TaskRun, now: number): ActiveTask {
  return {
    id: envelope.id,
    task: envelope.name,
    queue: envelope.queue,
    attempt: envelope.attempt,
    status: phase === "waiting" ? "starting" : phase,
    ...(startedAt === undefined ? {} : { startedAt, runtimeMs: Math.max(0, now - Date.parse(startedAt)) }),
  };
}

/** Told by Node and its like; a platform-free room asks nobody else. */
function processId(): number | null {
  const pid: unknown = (globalThis as { process?: { pid?: unknown } }).process?.pid;
  return typeof pid === "number" ? pid : null;
}
