import { checkDuration, type Milliseconds } from "../core/duration.ts";
import { checkOneOf } from "../core/options.ts";
import { ClosedError, TimeoutError } from "../errors.ts";
import { checkKnown } from "./check-ports.ts";
import { listenForSignals, type ShutdownMode } from "./os-signals.ts";
import { type PauseOptions, type PauseReceipt, queueChangeOf } from "./queue-change.ts";
import type { Repetition } from "./repeat.ts";
import type { RunCounts } from "./task-execution.ts";
import { untilIdle } from "./until-idle.ts";
import type { WorkerEvent, WorkerEventListener, WorkerEventType } from "./worker-events.ts";
import { startHeartbeats } from "./worker-heartbeat.ts";
import { resolveWorkerOptions, type WorkerOptions } from "./worker-options.ts";
import { WorkerParts } from "./worker-parts.ts";

/** How the runs of a {@link Worker.runUntilIdle} ended. */
export type RunSummary = Readonly<Pick<RunCounts, "completed" | "failed" | "retried">>;

/**
 * Takes messages from queues and runs their tasks. It begins with `start`, ends with `shutdown`, and cannot be started
 * again after that. It keeps the process alive in between, and never closes what it was given.
 */
export class Worker {
  readonly workerId: string;
  readonly #parts: WorkerParts;
  #repetitions: readonly Repetition[] = [];
  #stopListening: () => void = () => undefined;
  #starting: Promise<void> | undefined;

  /** Throws `InvalidOptionError` or `InvalidNameError` for a bad option, and does nothing else yet. */
  constructor(options: WorkerOptions) {
    this.#parts = new WorkerParts(resolveWorkerOptions(options), {
      tearDown: () => this.#tearDown(),
      shutdown: (mode) => void this.shutdown({ mode }),
    });
    this.workerId = this.#parts.options.consumerName;
  }

  /** What happens in this worker, from now on. Each iteration has a bounded buffer of its own, and ends with it. */
  get events(): AsyncIterable<WorkerEvent> {
    return this.#parts.events;
  }

  /** Calls `listener` for each event of one type, until the returned function is called. */
  on<T extends WorkerEventType>(type: T, listener: WorkerEventListener<T>): () => void {
    return this.#parts.events.on(type, listener);
  }

  /**
   * Begins to take messages; a second call does nothing. Rejects with what the broker has against the subscription,
   * with what keeps the revoke store from telling which queues are paused, and with `ClosedError` after a shutdown.
   */
  async start(): Promise<void> {
    if (this.#parts.shutdown.stopping.aborted) throw new ClosedError("The worker");
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
    return this.#parts.shutdown.begin(checkOneOf("mode", mode, ["warm", "soft", "hard"]));
  }

  /**
   * Resolves when the worker has ended, whoever had it stop: `shutdown`, a signal of the operating system, or a command
   * of a `WorkerControl`. The moment to close the stores it was given.
   */
  get stopped(): Promise<void> {
    return this.#parts.shutdown.stopped;
  }

  /**
   * Works until nothing can be delivered now and nothing runs, then shuts down warm. Messages that are delayed, in
   * paused queues, or held by others, are left. Starts the worker if need be. At the timeout: a soft shutdown, then `TimeoutError`.
   */
  async runUntilIdle(options: Readonly<{ timeout?: Milliseconds }> = {}): Promise<RunSummary> {
    checkKnown("", options, new Set(["timeout"]));
    const { timeout } = options;
    if (timeout !== undefined) checkDuration("timeout", timeout);
    const { broker, clock } = this.#parts.options;
    const before = { ...this.#parts.counts };
    await this.start();
    const giveUp = new AbortController();
    const timer =
      timeout === undefined ? undefined : clock.schedule(() => giveUp.abort(), timeout, { keepAlive: true });
    const signal = AbortSignal.any([giveUp.signal, this.#parts.shutdown.stopping]);
    const intake = this.#parts.intake;
    const received = (): number => intake.received;
    try {
      await untilIdle({ broker, queues: () => intake.queues, pool: this.#parts.pool, clock, received, signal });
    } finally {
      timer?.cancel();
      await this.shutdown({ mode: giveUp.signal.aborted ? "soft" : "warm" });
    }
    if (timeout !== undefined && giveUp.signal.aborted) throw new TimeoutError("runUntilIdle", timeout);
    return {
      completed: this.#parts.counts.completed - before.completed,
      failed: this.#parts.counts.failed - before.failed,
      retried: this.#parts.counts.retried - before.retried,
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
    return this.#parts.pauses.names;
  }

  /** A warm shutdown. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  async #begin(): Promise<void> {
    const { clock, lifecycle } = this.#parts.options;
    try {
      if (this.#parts.pauses.isDurable) await this.#parts.pauses.load(this.#parts.shutdown.stopping);
      if (this.#parts.shutdown.stopping.aborted) throw new ClosedError("The worker");
      this.#parts.intake.start();
      this.#parts.control?.start();
    } catch (error) {
      await this.shutdown();
      throw error;
    }
    this.#parts.startedAt = clock.now();
    this.#parts.revocations?.start();
    this.#repetitions = startHeartbeats(this.#parts.facts(), this.#parts.events, (error) =>
      this.#parts.report("a heartbeat", error),
    );
    const { installSignalHandlers, signals } = lifecycle;
    if (!installSignalHandlers || signals === undefined) return;
    this.#stopListening = listenForSignals(signals, (mode) => void this.shutdown({ mode }));
  }

  async #changeQueue(queue: string, options: PauseOptions, isPaused: boolean): Promise<PauseReceipt> {
    const request = queueChangeOf(queue, options);
    if (this.#parts.shutdown.stopping.aborted) throw new ClosedError("The worker");
    await this.#parts.pauses.change(request, isPaused);
    await this.#parts.intake.settled();
    return { persisted: this.#parts.pauses.isDurable };
  }

  async #tearDown(): Promise<void> {
    this.#stopListening();
    await this.#parts.control?.stop();
    await Promise.all(this.#repetitions.map((repetition) => repetition.stop()));
    await this.#parts.revocations?.stop();
    await this.#parts.pauses.stop();
    this.#parts.leases.stop();
    await this.#parts.execution.close();
    if (this.#starting !== undefined) {
      await this.#parts.options.backend
        ?.removeWorkerHeartbeat(this.workerId)
        .catch((error: unknown) => this.#parts.report("removing the worker's heartbeat", error));
    }
    this.#parts.events.close();
  }
}
