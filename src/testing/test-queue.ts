import type { Broker } from "../contracts/broker.ts";
import type { IdSource, Randomness } from "../contracts/identity.ts";
import type { ResultBackend } from "../contracts/result-backend.ts";
import type { RevokeStore } from "../contracts/revoke-store.ts";
import type { Envelope } from "../core/envelope.ts";
import { checkBoolean, mergeOptions } from "../core/options.ts";
import { isTerminal } from "../core/task-state.ts";
import { ClosedError, NotDrainedError } from "../errors.ts";
import type { Task, TaskCall, TaskEnqueueExtras } from "../runtime/define-task.ts";
import { Stem } from "../runtime/stem.ts";
import { createTaskResult, type StoredResult } from "../runtime/task-result.ts";
import { Worker } from "../runtime/worker.ts";
import { Activity } from "./activity.ts";
import { Drain } from "./drain.ts";
import { EnqueueRecord, type EnqueuedFilter } from "./enqueue-record.ts";
import { FakeClock } from "./fake-clock.ts";
import { Gate } from "./gated-consumer.ts";
import { Hands } from "./hands.ts";
import { type LogRecord, RecordingLogger } from "./recording-logger.ts";
import { createSeededRandomness } from "./seeded-randomness.ts";
import { createSequentialIds } from "./sequential-ids.ts";
import {
  type OpenTestStores,
  type ResolvedTestQueueOptions,
  resolveTestQueueOptions,
  type TestQueueOptions,
  type TestStores,
} from "./test-queue-options.ts";

/** How the tasks ended that ran within a `drain`. */
export interface DrainSummary {
  readonly succeeded: number;
  /** For good. */
  readonly failed: number;
  /** Runs after which another one was stored. */
  readonly retried: number;
  /** Revoked, or expired, before or while they ran. */
  readonly cancelled: number;
  /** Messages that became dead letters. */
  readonly deadLettered: number;
}

/** How far a `drain` goes. */
export interface DrainOptions {
  /**
   * Moves the clock on to where the next delayed task or retry is due, again and again, until nothing is left.
   *
   * @defaultValue `false`
   */
  readonly skipTime?: boolean;
}

/** Between two looks without a reason. A test moves the clock by days, and each look would take a while. */
const A_DAY = 86_400_000;
const WORKER_SETTINGS = { heartbeatInterval: A_DAY, revocationPollInterval: A_DAY, consumerName: "test-worker" };

const ANY = { name: undefined, queue: undefined } as object;

interface TestPorts {
  readonly clock: FakeClock;
  readonly randomness: Randomness;
  readonly logger: RecordingLogger;
  readonly ids: IdSource;
}

/** Opens the stores, and puts a producer and a worker on them. */
export async function createTestQueue(open: OpenTestStores, given: TestQueueOptions): Promise<TestQueue> {
  const options = resolveTestQueueOptions(given);
  const ports = {
    clock: new FakeClock(options.startAt.getTime()),
    randomness: createSeededRandomness(options.seed),
    logger: new RecordingLogger(),
    ids: createSequentialIds(),
  };
  const stores = await open(options.store, ports);
  const queue = new TestQueue(stores, ports, options);
  await queue.worker.start();
  return queue;
}

/**
 * A whole queue for one test: the real stores, producer and worker, on a clock that only the test moves, with ids
 * `task-1`, `task-2`, ... and randomness that repeats. Tasks run when the test says so.
 */
export class TestQueue {
  readonly stem: Stem;
  readonly worker: Worker;
  readonly broker: Broker;
  readonly backend: ResultBackend;
  readonly revokeStore: RevokeStore;
  readonly clock: FakeClock;
  readonly #stores: TestStores;
  readonly #logger: RecordingLogger;
  readonly #options: ResolvedTestQueueOptions;
  readonly #record: EnqueueRecord;
  readonly #activity = new Activity();
  readonly #gate = new Gate();
  readonly #hands = new Hands(this.#gate, this.#activity);
  readonly #counts = { succeeded: 0, failed: 0, retried: 0, cancelled: 0 };
  #turn: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;

  /** @internal */
  constructor(stores: TestStores, ports: TestPorts, options: ResolvedTestQueueOptions) {
    const { backend, revokeStore } = stores;
    const { tasks, queues, concurrency } = options;
    this.#stores = stores;
    this.#options = options;
    this.#logger = ports.logger;
    this.#record = new EnqueueRecord(() => ports.clock.now());
    this.clock = ports.clock;
    this.broker = this.#record.watch(stores.broker);
    this.backend = backend;
    this.revokeStore = revokeStore;
    this.stem = new Stem({ ...ports, broker: this.broker, backend, tasks });
    this.worker = new Worker({
      ...ports,
      ...WORKER_SETTINGS,
      broker: this.#hands.watch(this.broker),
      backend,
      revokeStore,
      tasks,
      concurrency,
      // What waits in the worker's hands would be ahead of what comes with a higher priority.
      prefetch: concurrency,
      subscription: { queues },
    });
    this.#countEnds();
    if (options.mode === "live") this.#gate.open();
  }

  /** What the library has logged. */
  get logs(): readonly LogRecord[] {
    return this.#logger.records;
  }

  /**
   * Has everything run that is ready, and whatever that enqueues, until nothing is left; with `skipTime` also what is
   * delayed. Tasks that fail are counted, not thrown. Leaves paused queues and those that nobody works on.
   *
   * Throws `NotDrainedError`, naming the tasks, when one does not end within `patience` or there is no end to them
   * within `maxRuns`, and `ClosedError` once the queue is closed.
   */
  async drain(options: DrainOptions = {}): Promise<DrainSummary> {
    const { skipTime } = mergeOptions({ skipTime: false }, options);
    checkBoolean("skipTime", skipTime);
    return this.#inTurn(async (drain) => {
      const before = this.#summary();
      await drain.ready();
      while (skipTime && (await drain.skip())) await drain.ready();
      const after = this.#summary();
      return {
        succeeded: after.succeeded - before.succeeded,
        failed: after.failed - before.failed,
        retried: after.retried - before.retried,
        cancelled: after.cancelled - before.cancelled,
        deadLettered: after.deadLettered - before.deadLettered,
      };
    });
  }

  /**
   * The result of a task, which is run if need be, with everything that is ready or falls due before it. Moves the
   * clock as far as it takes, unless `skipTime` is false.
   *
   * Throws `TaskFailedError`, with the stored error in its message and details, for a task that failed or was
   * cancelled, and `NotDrainedError` for one that is not known or cannot run here.
   */
  async result<Result = unknown>(taskId: string, options: DrainOptions = {}): Promise<Result> {
    const { skipTime } = mergeOptions({ skipTime: true }, options);
    checkBoolean("skipTime", skipTime);
    return this.#inTurn(async (drain) => {
      let canGoOn = true;
      for (;;) {
        let status = await this.stem.getTask(taskId);
        if (status !== null && isTerminal(status.state)) return createTaskResult<Result>(status, false).requiredValue();
        if (!canGoOn) throw this.#notEnded(taskId, status?.state);
        await drain.ready();
        status = await this.stem.getTask(taskId);
        if (status === null || !isTerminal(status.state)) canGoOn = skipTime && (await drain.skip());
      }
    });
  }

  /** Enqueues a task, has it run, and returns its result; see {@link TestQueue.result}. */
  async run<Args extends object, Result>(
    task: Task<Args, Result>,
    ...call: TaskCall<Args, TaskEnqueueExtras>
  ): Promise<StoredResult<Result>> {
    return this.result<StoredResult<Result>>(await task.enqueue(this.stem, ...call));
  }

  /**
   * What was enqueued so far, oldest first, by the test, by handlers, and as links; also what has run since. Retries
   * are not enqueues.
   */
  enqueued(filter: EnqueuedFilter = {}): readonly Envelope[] {
    return this.#record.list(mergeOptions<EnqueuedFilter>(ANY, filter));
  }

  /** Stops the worker, without waiting for handlers that still run, and drops everything. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const { broker, backend, revokeStore } = this.#stores;
    await this.worker.shutdown({ mode: "hard" });
    await this.stem.close();
    await revokeStore.close();
    await backend.close();
    await broker.close();
  }

  /** One at a time: each begins when the one before has ended, however it did. */
  async #inTurn<Result>(work: (drain: Drain) => Promise<Result>): Promise<Result> {
    const turn = this.#turn.then(async () => {
      if (this.#closing !== undefined) throw new ClosedError("The queue");
      try {
        return await work(this.#drain());
      } finally {
        if (this.#options.mode === "live") this.#gate.open();
      }
    });
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  #drain(): Drain {
    const { broker, worker, clock } = this;
    const { queues, patience, maxRuns } = this.#options;
    const parts = { gate: this.#gate, hands: this.#hands, activity: this.#activity, queues, patience, maxRuns };
    return new Drain({ ...parts, broker, worker, clock, nextDue: (worked) => this.#record.nextDue(worked) });
  }

  #notEnded(taskId: string, state: string | undefined): NotDrainedError {
    if (state === undefined) return new NotDrainedError(`no task "${taskId}" was ever seen`);
    const what = `task "${taskId}" is left with state "${state}"`;
    return new NotDrainedError(`${what}; it is delayed, in a paused queue, or in one that is not worked on`);
  }

  #countEnds(): void {
    const count = (end: Exclude<keyof DrainSummary, "deadLettered">) => () => void (this.#counts[end] += 1);
    this.worker.on("completed", count("succeeded"));
    this.worker.on("failed", count("failed"));
    this.worker.on("retried", count("retried"));
    this.worker.on("revoked", count("cancelled"));
    this.worker.on("expired", count("cancelled"));
  }

  #summary(): DrainSummary {
    return { ...this.#counts, deadLettered: this.#hands.deadLettered };
  }
}
