import type { Delivery } from "../contracts/broker.ts";
import { checkDuration, type Milliseconds } from "../core/duration.ts";
import { checkOneOf } from "../core/options.ts";
import { ClosedError, TimeoutError } from "../errors.ts";
import { checkKnown } from "./check-ports.ts";
import { DeliveryLoop } from "./delivery-loop.ts";
import { Enqueuer } from "./enqueuer.ts";
import { DeliveryFinisher } from "./finish-delivery.ts";
import { LeaseKeeper } from "./lease-keeper.ts";
import { listenForSignals, type ShutdownMode } from "./os-signals.ts";
import type { Repetition } from "./repeat.ts";
import { RevocationWatch } from "./revocation-watch.ts";
import { type RunCounts, TaskExecution } from "./task-execution.ts";
import { TaskPool } from "./task-pool.ts";
import { TaskRun } from "./task-run.ts";
import { untilIdle } from "./until-idle.ts";
import { type WorkerEvent, type WorkerEventListener, WorkerEvents, type WorkerEventType } from "./worker-events.ts";
import { startHeartbeats } from "./worker-heartbeat.ts";
import { type ResolvedWorkerOptions, resolveWorkerOptions, type WorkerOptions } from "./worker-options.ts";
import { WorkerShutdown } from "./worker-shutdown.ts";

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
  readonly #pool: TaskPool;
  readonly #execution: TaskExecution;
  readonly #loop: DeliveryLoop;
  readonly #shutdown: WorkerShutdown;
  #repetitions: readonly Repetition[] = [];
  #stopListening: () => void = () => undefined;
  #isStarted = false;
  #received = 0;

  /** Throws `InvalidOptionError` or `InvalidNameError` for a bad option, and does nothing else yet. */
  constructor(options: WorkerOptions) {
    const resolved = resolveWorkerOptions(options);
    const { broker, backend, clock, revokeStore, lifecycle } = resolved;
    this.#options = resolved;
    this.workerId = resolved.consumerName;
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
      stopClaiming: () => this.#stopClaiming(),
      tearDown: () => this.#tearDown(),
    });
    const onError = (error: unknown): void => this.#report("watching revocations; it is tried again", error);
    this.#revocations =
      revokeStore === undefined
        ? undefined
        : new RevocationWatch({
            store: revokeStore,
            namespace: broker.namespace,
            clock,
            pollInterval: resolved.revocationPollInterval,
            runs: () => this.#pool.held,
            onError,
          });
    this.#execution = new TaskExecution({
      options: resolved,
      events: this.#events,
      leases: this.#leases,
      counts: this.#counts,
      revocations: this.#revocations,
      enqueuer: new Enqueuer({ ...resolved, registeredOnly: false }),
      finisher: new DeliveryFinisher({ broker, backend, clock, hurry: this.#shutdown.hurry }),
      stopping: this.#shutdown.stopping,
      onError: (during, error, run) => this.#report(during, error, run),
    });
    this.#loop = new DeliveryLoop({
      clock,
      consume: () =>
        broker.consume(resolved.subscription, {
          prefetch: resolved.prefetch,
          consumerName: resolved.consumerName,
          onDeadLetter: (envelope) => void this.#execution.recordDeadLetter(envelope),
        }),
      onDelivery: (delivery) => this.#onDelivery(delivery),
      onError: (error) => this.#report("taking deliveries", error),
      room: () => this.#pool.room(),
    });
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
   * and with `ClosedError` after a shutdown.
   */
  async start(): Promise<void> {
    if (this.#shutdown.stopping.aborted) throw new ClosedError("The worker");
    if (this.#isStarted) return;
    this.#isStarted = true;
    try {
      this.#loop.start();
    } catch (error) {
      await this.shutdown();
      throw error;
    }
    this.#revocations?.start();
    this.#repetitions = this.#startHeartbeats();
    const { installSignalHandlers, signals } = this.#options.lifecycle;
    if (!installSignalHandlers || signals === undefined) return;
    this.#stopListening = listenForSignals(signals, (mode) => void this.shutdown({ mode }));
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
   * Works until nothing can be delivered now and nothing runs, then shuts down warm. Messages that are delayed, or
   * held by others, are left. Starts the worker if need be. At the timeout: a soft shutdown, then `TimeoutError`.
   */
  async runUntilIdle(options: Readonly<{ timeout?: Milliseconds }> = {}): Promise<RunSummary> {
    checkKnown("", options, new Set(["timeout"]));
    const { timeout } = options;
    if (timeout !== undefined) checkDuration("timeout", timeout);
    const { broker, clock, subscription } = this.#options;
    const before = { ...this.#counts };
    await this.start();
    const giveUp = new AbortController();
    const timer =
      timeout === undefined ? undefined : clock.schedule(() => giveUp.abort(), timeout, { keepAlive: true });
    const signal = AbortSignal.any([giveUp.signal, this.#shutdown.stopping]);
    const received = (): number => this.#received;
    try {
      await untilIdle({ broker, queues: subscription.queues, pool: this.#pool, clock, received, signal });
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

  /** A warm shutdown. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  #onDelivery(delivery: Delivery): void {
    this.#received += 1;
    const run = new TaskRun(delivery);
    this.#leases.keep(run);
    this.#pool.add(run);
  }

  #onLeaseLost(run: TaskRun): void {
    run.loseLease();
    this.#events.emit({ type: "lease-lost", envelope: run.envelope });
  }

  #startHeartbeats(): readonly Repetition[] {
    const sources = {
      options: this.#options,
      pool: this.#pool,
      leases: this.#leases,
      counts: this.#counts,
      startedAt: this.#options.clock.now(),
    };
    return startHeartbeats(sources, this.#events, (error) => this.#report("a heartbeat", error));
  }

  async #stopClaiming(): Promise<void> {
    this.#pool.pause();
    const stopped = this.#loop.stop();
    // The loop may wait for the room that this makes; and it may have been given one more before it stopped.
    await this.#giveBack(this.#pool.takeWaiting());
    await stopped;
    await this.#giveBack(this.#pool.takeWaiting());
  }

  async #giveBack(runs: readonly TaskRun[]): Promise<void> {
    await Promise.all(runs.map((run) => this.#execution.giveBack(run)));
  }

  async #tearDown(): Promise<void> {
    this.#stopListening();
    await Promise.all(this.#repetitions.map((repetition) => repetition.stop()));
    await this.#revocations?.stop();
    this.#leases.stop();
    await this.#execution.close();
    if (this.#isStarted) {
      await this.#options.backend
        ?.removeWorkerHeartbeat(this.workerId)
        .catch((error: unknown) => this.#report("removing the worker's heartbeat", error));
    }
    this.#events.close();
  }

  #report(during: string, error: unknown, run?: TaskRun): void {
    const envelope = run?.envelope;
    this.#options.logger.log("error", `A worker failed at ${during}.`, {
      worker: this.workerId,
      ...(envelope === undefined ? {} : { taskId: envelope.id, task: envelope.name }),
      error,
    });
    this.#events.emit({ type: "error", during, error, ...(envelope === undefined ? {} : { envelope }) });
  }
}
