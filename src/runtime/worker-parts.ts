import type { ControlledWorker } from "./control-commands.ts";
import { Enqueuer } from "./enqueuer.ts";
import { DeliveryFinisher } from "./finish-delivery.ts";
import { LeaseKeeper } from "./lease-keeper.ts";
import { LinkedTasks } from "./linked-tasks.ts";
import { LocalRevocations } from "./local-revocations.ts";
import type { ShutdownMode } from "./os-signals.ts";
import { QueuePauses } from "./queue-pauses.ts";
import { RevocationWatch } from "./revocation-watch.ts";
import { type RunCounts, TaskExecution } from "./task-execution.ts";
import { TaskPool } from "./task-pool.ts";
import type { TaskRun } from "./task-run.ts";
import { WorkerControlListener } from "./worker-control-listener.ts";
import { WorkerEvents } from "./worker-events.ts";
import { WorkerIntake } from "./worker-intake.ts";
import type { ResolvedWorkerOptions } from "./worker-options.ts";
import { WorkerShutdown } from "./worker-shutdown.ts";
import type { WorkerFacts } from "./worker-snapshot.ts";

/** How many polls of running tasks go to one poll of paused queues, which change rarely. */
const POLLS_PER_PAUSE_POLL = 10;

/** What the parts ask of their worker. */
export interface WorkerHost {
  /** Ends what the worker began. Never rejects. */
  readonly tearDown: () => Promise<void>;
  readonly shutdown: (mode: ShutdownMode) => void;
}

/** The parts of one worker, put together. Nothing runs before the worker starts them. */
export class WorkerParts {
  readonly options: ResolvedWorkerOptions;
  readonly events: WorkerEvents;
  readonly counts: RunCounts = { started: 0, completed: 0, failed: 0, retried: 0 };
  readonly leases: LeaseKeeper;
  readonly revocations: RevocationWatch | undefined;
  readonly pauses: QueuePauses;
  readonly pool: TaskPool;
  readonly execution: TaskExecution;
  readonly intake: WorkerIntake;
  /** Absent when it is turned off, or the broker has no broadcasts. */
  readonly control: WorkerControlListener | undefined;
  readonly shutdown: WorkerShutdown;
  startedAt: number;
  readonly #host: WorkerHost;
  readonly #localRevocations = new LocalRevocations();
  /** Logs a failure that is no task's fault, and makes it an event. */
  readonly report = (during: string, error: unknown, about?: Pick<TaskRun, "envelope">): void => {
    const envelope = about?.envelope;
    this.options.logger.log("error", `A worker failed at ${during}.`, {
      worker: this.options.consumerName,
      ...(envelope === undefined ? {} : { taskId: envelope.id, task: envelope.name }),
      error,
    });
    this.events.emit({ type: "error", during, error, ...(envelope === undefined ? {} : { envelope }) });
  };

  constructor(options: ResolvedWorkerOptions, host: WorkerHost) {
    const { broker, clock, lifecycle } = options;
    this.options = options;
    this.#host = host;
    this.startedAt = clock.now();
    this.events = new WorkerEvents(clock, options.logger);
    this.leases = new LeaseKeeper({
      broker,
      clock,
      onLost: (run) => this.#onLeaseLost(run),
      onError: (run, error) => this.report("renewing a lease; it is tried again", error, run),
    });
    this.pool = new TaskPool(options.concurrency, options.prefetch, (run, freeSlot) =>
      this.execution.execute(run, freeSlot),
    );
    this.shutdown = new WorkerShutdown({
      clock,
      lifecycle,
      pool: this.pool,
      stopClaiming: () => this.intake.stop(),
      tearDown: () => host.tearDown(),
    });
    this.revocations = this.#createRevocationWatch();
    this.pauses = this.#createPauses();
    this.execution = this.#createExecution();
    this.intake = new WorkerIntake({
      options,
      pool: this.pool,
      leases: this.leases,
      isPaused: (queue) => this.pauses.isPaused(queue),
      revocationOf: (taskId) => this.#localRevocations.find(taskId, clock.now()),
      giveBack: (run) => this.execution.giveBack(run),
      onDeadLetter: (envelope) => void this.execution.recordDeadLetter(envelope),
      onGap: (gap) => this.events.emit({ type: "broadcast-gap", ...gap }),
      onError: this.report,
    });
    this.control = this.#createControl();
  }

  /** The worker as it is at this moment. */
  facts(): WorkerFacts {
    return {
      options: this.options,
      pool: this.pool,
      leases: this.leases,
      counts: this.counts,
      startedAt: this.startedAt,
      pauses: this.pauses,
    };
  }

  #onLeaseLost(run: TaskRun): void {
    run.loseLease();
    this.events.emit({ type: "lease-lost", envelope: run.envelope });
  }

  #createRevocationWatch(): RevocationWatch | undefined {
    const { revokeStore: store, broker, clock, revocationPollInterval: pollInterval } = this.options;
    if (store === undefined) return undefined;
    const onError = (error: unknown): void => this.report("watching revocations; it is tried again", error);
    const runs = (): Iterable<TaskRun> => this.pool.held;
    return new RevocationWatch({ store, namespace: broker.namespace, clock, pollInterval, runs, onError });
  }

  #createPauses(): QueuePauses {
    const { revokeStore: store, broker, clock, revocationPollInterval } = this.options;
    return new QueuePauses({
      store,
      namespace: broker.namespace,
      clock,
      pollInterval: revocationPollInterval * POLLS_PER_PAUSE_POLL,
      onChange: ({ taskId: queue, reason, requestedBy }, isPaused) => {
        const facts = {
          ...(reason === undefined ? {} : { reason }),
          ...(requestedBy === undefined ? {} : { requestedBy }),
        };
        this.events.emit({ type: isPaused ? "queue-paused" : "queue-resumed", queue, ...facts });
        this.intake.follow(queue);
      },
      onError: (error) => this.report("watching paused queues; it is tried again", error),
    });
  }

  #createExecution(): TaskExecution {
    const { broker, backend, clock } = this.options;
    const enqueuer = new Enqueuer({ ...this.options, registeredOnly: false, closing: this.shutdown.hurry });
    const links = new LinkedTasks({
      broker,
      backend,
      prepare: (request) => enqueuer.prepare(request),
      onError: (during, error, envelope) => this.report(during, error, { envelope }),
    });
    return new TaskExecution({
      options: this.options,
      events: this.events,
      leases: this.leases,
      counts: this.counts,
      revocations: this.revocations,
      enqueuer,
      finisher: new DeliveryFinisher({ broker, backend, clock, hurry: this.shutdown.hurry, links }),
      stopping: this.shutdown.stopping,
      onError: this.report,
    });
  }

  #createControl(): WorkerControlListener | undefined {
    const { broker, clock, revokeStore: store, control } = this.options;
    if (!control || !broker.capabilities.supportsBroadcastFanout) return undefined;
    const worker: ControlledWorker = {
      facts: () => this.facts(),
      revocations: { store, local: this.#localRevocations, namespace: broker.namespace, clock, pool: this.pool },
      stopping: this.shutdown.stopping,
      settled: () => this.intake.settled(),
      shutdown: (mode) => this.#host.shutdown(mode),
    };
    return new WorkerControlListener({
      options: this.options,
      worker,
      onGap: (gap) => this.events.emit({ type: "broadcast-gap", ...gap }),
      onError: this.report,
    });
  }
}
