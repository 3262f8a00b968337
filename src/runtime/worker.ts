import { checkDuration, type Milliseconds } from "../core/duration.ts";
import { checkOneOf } from "../core/options.ts";
import { ClosedError, TimeoutError } from "../errors.ts";
import { checkKnown } from "./check-ports.ts";
import type { ControlledWorker } from "./control-commands.ts";
import { Enqueuer } from "./enqueuer.ts";
import { DeliveryFinisher } from "./finish-delivery.ts";
import { LeaseKeeper } from "./lease-keeper.ts";
import { LinkedTasks } from "./linked-tasks.ts";
import { LocalRevocations } from "./local-revocations.ts";
import { listenForSignals, type ShutdownMode } from "./os-signals.ts";
import { QueuePauses } from "./queue-pauses.ts";
import { type PauseOptions, type PauseReceipt, queueChangeOf } from "./queue-change.ts";
import type { Repetition } from "./repeat.ts";
import { RevocationWatch } from "./revocation-watch.ts";
import { type RunCounts, TaskExecution } from "./task-execution.ts";
import { TaskPool } from "./task-pool.ts";
import type { TaskRun } from "./task-run.ts";
import { untilIdle } from "./until-idle.ts";
import { WorkerControlListener } from "./worker-control-listener.ts";
import { type WorkerEvent, type WorkerEventListener, WorkerEvents, type WorkerEventType } from "./worker-events.ts";
import { startHeartbeats } from "./worker-heartbeat.ts";
import { WorkerIntake } from "./worker-intake.ts";
import { type ResolvedWorkerOptions, resolveWorkerOptions, type WorkerOptions } from "./worker-options.ts";
import { WorkerShutdown } from "./worker-shutdown.ts";
import type { WorkerFacts } from "./worker-snapshot.ts";

/** How the runs of a {@link Worker.runUntilIdle} ended. */
export type RunSummary = Readonly<Pick<RunCounts, "completed" | "failed" | "retried">>;

/**
 * Takes messages from queues and runs their tasks. It begins with `start`, ends with `shutdown`, and cannot be started
 * again after that. It keeps the process alive in between, and never closes what it was given.
 */
export class Worker {
  readonly workerId: string;
  readonly #options: ResolvedWorkerOptions;
  readonly #events: WorkerEvents;
  readonly #counts: RunCounts = { started: 0, completed: 0, failed: 0, retried: 0 };
  readonly #leases: LeaseKeeper;
  readonly #revocations: RevocationWatch | undefined;
  readonly #localRevocations = new LocalRevocations();
  readonly #pauses: QueuePauses;
  readonly #pool: TaskPool;
  readonly #execution: TaskExecution;
  readonly #intake: WorkerIntake;
  readonly #control: WorkerControlListener | undefined;
  readonly #shutdown: WorkerShutdown;
  readonly #report = (during: string, error: unknown, about?: Pick<TaskRun, "envelope">): void => {
    const envelope = about?.envelope;
    this.#options.logger.log("error", `A worker failed at ${during}.`, {
      worker: this.workerId,
      ...(envelope === undefined ? {} : { taskId: envelope.id, task: envelope.name }),
      error,
    });
    this.#events.emit({ type: "error", during, error, ...(envelope === undefined ? {} : { envelope }) });
  };
  #repetitions: readonly Repetition[] = [];
  #stopListening: () => void = () => undefined;
  #starting: Promise<void> | undefined;
  #startedAt: number;

  /** Throws `InvalidOptionError` or `InvalidNameError` for a bad option, and does nothing else yet. */
  constructor(options: WorkerOptions) {
    const resolved = resolveWorkerOptions(options);
    const { broker, clock, lifecycle } = resolved;
    this.#options = resolved;
    this.workerId = resolved.consumerName;
    this.#startedAt = clock.now();
    this.#events = new WorkerEvents(clock, resolved.logger);
    this.#leases = new LeaseKeeper({
      broker,
      clock,
      onLost: (run) => this.#onLeaseLost(run),
      onError: (run, error) => this.#report("renewing a lease; it is tried again", error, run),
    });
    this.#pool = new TaskPool(resolved.concurrency, resolved.prefetch, (run, freeSlot) =>
      this.#execution.execute(run, freeSlot),
    );
    this.#shutdown = new WorkerShutdown({
      clock,
      lifecycle,
      pool: this.#pool,
      stopClaiming: () => this.#intake.stop(),
      tearDown: () => this.#tearDown(),
    });
    this.#revocations = this.#createRevocationWatch();
    this.#pauses = this.#createPauses();
    this.#execution = this.#createExecution();
    this.#intake = new WorkerIntake({
      options: resolved,
      pool: this.#pool,
      leases: this.#leases,
      isPaused: (queue) => this.#pauses.isPaused(queue),
      revocationOf: (taskId) => this.#localRevocations.find(taskId, clock.now()),
      giveBack: (run) => this.#execution.giveBack(run),
      onDeadLetter: (envelope) => void this.#execution.recordDeadLetter(envelope),
      onGap: (gap) => this.#events.emit({ type: "broadcast-gap", ...gap }),
      onError: this.#report,
    });
    this.#control = this.#createControl();
  }

  /** What happens in this worker, from now on. Each iteration has a bounded buffer of its own, and ends with it. */
  get events(): AsyncIterable<WorkerEvent> {
    return this.#events;
  }

  /** Calls `listener` for each event of one type, until the returned function is called. */
  on<T extends WorkerEventType>(type: T, listener: WorkerEventListener<T>): () => void {
    return this.#events.on(type, listener);
  }

  /**
   * Begins to take messages; a second call does nothing. Rejects with what the broker has against the subscription,
   * with what keeps the revoke store from telling which queues are paused, and with `ClosedError` after a shutdown.
   */
  async start(): Promise<void> {
    if (this.#shutdown.stopping.aborted) throw new ClosedError("The worker");
    this.#starting ??= this.#begin();
    await this.#starting;
  }

  /**
   * Stops the worker; resolves, never rejects, when it has ended. Messages that no handler has seen go back uncounted.
   *
   * - `warm`: running tasks end as they will. A task that waits for this promise waits for itself.
   * - `soft`: their signals fire, and checkpoints throw; what has not ended after `softGracePeriod` is treated as hard.
   * - `hard`: their messages go back uncounted, whatever the handlers still do is discarded.
   *
   * A later call returns the same promise; a more urgent mode takes effect at once.
   *
   * @param options `mode` is `"warm"` by default.
   */
  shutdown(options: Readonly<{ mode?: ShutdownMode }> = {}): Promise<void> {
    const { mode = "warm" } = options;
    return this.#shutdown.begin(checkOneOf("mode", mode, ["warm", "soft", "hard"]));
  }

  /**
   * Works until nothing can be delivered now and nothing runs, then shuts down warm. Messages that are delayed, in
   * paused queues, or held by others, are left. Starts the worker if need be. At the timeout: a soft shutdown, then `TimeoutError`.
   */
  async runUntilIdle(options: Readonly<{ timeout?: Milliseconds }> = {}): Promise<RunSummary> {
    checkKnown("", options, new Set(["timeout"]));
    const { timeout } = options;
    if (timeout !== undefined) checkDuration("timeout", timeout);
    const { broker, clock } = this.#options;
    const before = { ...this.#counts };
    await this.start();
    const giveUp = new AbortController();
    const timer =
      timeout === undefined ? undefined : clock.schedule(() => giveUp.abort(), timeout, { keepAlive: true });
    const signal = AbortSignal.any([giveUp.signal, this.#shutdown.stopping]);
    const intake = this.#intake;
    const received = (): number => intake.received;
    try {
      await untilIdle({ broker, queues: () => intake.queues, pool: this.#pool, clock, received, signal });
    } finally {
      timer?.cancel();
      await this.shutdown({ mode: giveUp.signal.aborted ? "soft" : "warm" });
    }
    if (timeout !== undefined && giveUp.signal.aborted) throw new TimeoutError("runUntilIdle", timeout);
    return {
      completed: this.#counts.completed - before.completed,
      failed: this.#counts.failed - before.failed,
      retried: this.#counts.retried - before.retried,
    };
  }

  /**
   * Stops the work on a queue until `resumeQueue`, also over a restart and in all workers with the same revoke store;
   * without a store, in this worker only. Resolves when nothing more is claimed and what had not begun is back in the
   * queue, uncounted; running tasks end as they will.
   */
  pauseQueue(queue: string, options: PauseOptions = {}): Promise<PauseReceipt> {
    return this.#changeQueue(queue, options, true);
  }

  /** Takes up the work on a paused queue, wherever the pause holds. On any other queue it does nothing. */
  resumeQueue(queue: string, options: PauseOptions = {}): Promise<PauseReceipt> {
    return this.#changeQueue(queue, options, false);
  }

  /** The queues that are paused, as far as this worker knows; from a revoke store, also those it does not work on. */
  get pausedQueues(): readonly string[] {
    return this.#pauses.names;
  }

  /** A warm shutdown. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  async #begin(): Promise<void> {
    const { clock, lifecycle } = this.#options;
    try {
      if (this.#pauses.isDurable) await this.#pauses.load(this.#shutdown.stopping);
      if (this.#shutdown.stopping.aborted) throw new ClosedError("The worker");
      this.#intake.start();
      this.#control?.start();
    } catch (error) {
      await this.shutdown();
      throw error;
    }
    this.#startedAt = clock.now();
    this.#revocations?.start();
    this.#repetitions = startHeartbeats(this.#facts(), this.#events, (error) => this.#report("a heartbeat", error));
    const { installSignalHandlers, signals } = lifecycle;
    if (!installSignalHandlers || signals === undefined) return;
    this.#stopListening = listenForSignals(signals, (mode) => void this.shutdown({ mode }));
  }

  async #changeQueue(queue: string, options: PauseOptions, isPaused: boolean): Promise<PauseReceipt> {
    const request = queueChangeOf(queue, options);
    if (this.#shutdown.stopping.aborted) throw new ClosedError("The worker");
    await this.#pauses.change(request, isPaused);
    await this.#intake.settled();
    return { persisted: this.#pauses.isDurable };
  }

  #onLeaseLost(run: TaskRun): void {
    run.loseLease();
    this.#events.emit({ type: "lease-lost", envelope: run.envelope });
  }

  #createRevocationWatch(): RevocationWatch | undefined {
    const { revokeStore: store, broker, clock, revocationPollInterval: pollInterval } = this.#options;
    if (store === undefined) return undefined;
    const onError = (error: unknown): void => this.#report("watching revocations; it is tried again", error);
    const runs = (): Iterable<TaskRun> => this.#pool.held;
    return new RevocationWatch({ store, namespace: broker.namespace, clock, pollInterval, runs, onError });
  }

  #createPauses(): QueuePauses {
    const { revokeStore: store, broker, clock, revocationPollInterval } = this.#options;
    return new QueuePauses({
      store,
      namespace: broker.namespace,
      clock,
      pollInterval: revocationPollInterval * 10,
      onChange: ({ taskId: queue, reason, requestedBy }, isPaused) => {
        const facts = {
          ...(reason === undefined ? {} : { reason }),
          ...(requestedBy === undefined ? {} : { requestedBy }),
        };
        this.#events.emit({ type: isPaused ? "queue-paused" : "queue-resumed", queue, ...facts });
        this.#intake.follow(queue);
      },
      onError: (error) => this.#report("watching paused queues; it is tried again", error),
    });
  }

  #createExecution(): TaskExecution {
    const { broker, backend, clock } = this.#options;
    const enqueuer = new Enqueuer({ ...this.#options, registeredOnly: false });
    const links = new LinkedTasks({
      broker,
      backend,
      prepare: (request) => enqueuer.prepare(request),
      onError: (during, error, envelope) => this.#report(during, error, { envelope }),
    });
    return new TaskExecution({
      options: this.#options,
      events: this.#events,
      leases: this.#leases,
      counts: this.#counts,
      revocations: this.#revocations,
      enqueuer,
      finisher: new DeliveryFinisher({ broker, backend, clock, hurry: this.#shutdown.hurry, links }),
      stopping: this.#shutdown.stopping,
      onError: this.#report,
    });
  }

  #createControl(): WorkerControlListener | undefined {
    const { broker, clock, revokeStore: store, control } = this.#options;
    if (!control || !broker.capabilities.supportsBroadcastFanout) return undefined;
    const worker: ControlledWorker = {
      facts: () => this.#facts(),
      revocations: { store, local: this.#localRevocations, namespace: broker.namespace, clock, pool: this.#pool },
      stopping: this.#shutdown.stopping,
      settled: () => this.#intake.settled(),
      shutdown: (mode) => void this.shutdown({ mode }),
    };
    return new WorkerControlListener({
      options: this.#options,
      worker,
      onGap: (gap) => this.#events.emit({ type: "broadcast-gap", ...gap }),
      onError: this.#report,
    });
  }

  #facts(): WorkerFacts {
    return {
      options: this.#options,
      pool: this.#pool,
      leases: this.#leases,
      counts: this.#counts,
      startedAt: this.#startedAt,
      pauses: this.#pauses,
    };
  }

  async #tearDown(): Promise<void> {
    this.#stopListening();
    await this.#control?.stop();
    await Promise.all(this.#repetitions.map((repetition) => repetition.stop()));
    await this.#revocations?.stop();
    await this.#pauses.stop();
    this.#leases.stop();
    await this.#execution.close();
    if (this.#starting !== undefined) {
      await this.#options.backend
        ?.removeWorkerHeartbeat(this.workerId)
        .catch((error: unknown) => this.#report("removing the worker's heartbeat", error));
    }
    this.#events.close();
  }
}
