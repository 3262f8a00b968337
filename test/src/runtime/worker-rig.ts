import { expect, onTestFinished } from "vitest";
import { InMemoryBroker, InMemoryResultBackend, InMemoryRevokeStore } from "../../../adapters/memory/index.ts";
import type { AnyTaskHandler } from "../../../src/contracts/task-handler.ts";
import { Stem } from "../../../src/runtime/stem.ts";
import type { WorkerEvent, WorkerEventType } from "../../../src/runtime/worker-events.ts";
import type { WorkerOptions } from "../../../src/runtime/worker-options.ts";
import { Worker } from "../../../src/runtime/worker.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { RecordingLogger } from "../../../src/testing/recording-logger.ts";
import { createSeededRandomness } from "../../../src/testing/seeded-randomness.ts";
import { createSequentialIds } from "../../../src/testing/sequential-ids.ts";

export const START = Date.UTC(2026, 0, 1);
/** Lease of every message, unless its envelope says otherwise. */
export const LEASE_MS = 30_000;
/** Delay before every retry without a policy. */
export const RETRY_MS = 1_000;

const EVENT_TYPES: readonly WorkerEventType[] = [
  "started",
  "heartbeat",
  "progress",
  "timeout",
  "completed",
  "retried",
  "failed",
  "revoked",
  "expired",
  "lease-lost",
  "queue-paused",
  "queue-resumed",
  "broadcast-gap",
  "error",
];

/** A worker, not started, with everything it works on in memory and on one fake clock. */
export interface WorkerRig {
  readonly clock: FakeClock;
  readonly broker: InMemoryBroker;
  readonly backend: InMemoryResultBackend;
  readonly revokeStore: InMemoryRevokeStore;
  readonly stem: Stem;
  readonly worker: Worker;
  readonly logger: RecordingLogger;
  readonly events: WorkerEvent[];
  /** Types of the events so far. */
  readonly types: () => readonly WorkerEventType[];
  /** Lets everything happen that needs no time to pass. */
  readonly settle: () => Promise<void>;
  /** Another worker on the same broker, backend and clock. */
  readonly another: (options?: Partial<WorkerOptions>) => Worker;
}

/** Options of the rig beside those of its worker. */
export interface RigOptions extends Partial<WorkerOptions> {
  readonly maxDeliveries?: number;
  readonly maxPayloadBytes?: number;
}

/** Everything is shut down and closed after the test, which then must have left no timer. */
export function aWorkerRig(tasks: readonly AnyTaskHandler[], options: RigOptions = {}): WorkerRig {
  const { maxDeliveries = 5, maxPayloadBytes = 100_000, ...workerOptions } = options;
  const clock = new FakeClock(START);
  const logger = new RecordingLogger();
  const broker = new InMemoryBroker({ clock, logger, sweeperInterval: 0, maxDeliveries, maxPayloadBytes });
  const backend = new InMemoryResultBackend({ clock, logger, cleanupInterval: 0, maxPayloadBytes });
  const revokeStore = new InMemoryRevokeStore();
  const stem = new Stem({ broker, backend, clock, ids: createSequentialIds() });
  const defaults: WorkerOptions = {
    broker,
    backend,
    tasks,
    clock,
    logger,
    concurrency: 2,
    consumerName: "worker-1",
    randomness: createSeededRandomness(),
    ids: createSequentialIds("child"),
    retryStrategy: { nextDelay: () => RETRY_MS },
  };
  const worker = new Worker({ ...defaults, ...workerOptions });
  const workers = [worker];
  const events: WorkerEvent[] = [];
  for (const type of EVENT_TYPES) worker.on(type, (event) => events.push(event));
  onTestFinished(async () => {
    const ended = Promise.all(workers.map((each) => each.shutdown({ mode: "hard" })));
    await clock.advance(60_000);
    await ended;
    await stem.close();
    await broker.close();
    await backend.close();
    await revokeStore.close();
    expect(clock.pendingTimers).toBe(0);
  });
  return {
    clock,
    broker,
    backend,
    revokeStore,
    stem,
    worker,
    logger,
    events,
    types: () => events.map(({ type }) => type),
    settle: () => clock.advance(0),
    another(more = {}) {
      const next = new Worker({ ...defaults, consumerName: `worker-${workers.length + 1}`, ...more });
      workers.push(next);
      return next;
    },
  };
}

/** Something a handler waits for until the test opens it. */
export interface Gate {
  readonly passed: Promise<void>;
  readonly open: () => void;
}

export function aGate(): Gate {
  let open!: () => void;
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open };
}
