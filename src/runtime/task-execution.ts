import type { DeliveryOutcome } from "../contracts/delivery-settler.ts";
import type { AnyTaskHandler } from "../contracts/task-handler.ts";
import type { Envelope } from "../core/envelope.ts";
import { LeaseLostError, PayloadNotSerializableError, PayloadTooLargeError } from "../errors.ts";
import type { DeliveryFinisher } from "./finish-delivery.ts";
import { IsolateRunner } from "./isolate-runner.ts";
import { isExpired, policyOf, retryDelayOf } from "./message-settings.ts";
import type { LeaseKeeper } from "./lease-keeper.ts";
import { toPayload } from "./result-payload.ts";
import { retryingFaults } from "./retrying-faults.ts";
import { RetrySignal } from "./retry-signal.ts";
import type { RevocationWatch } from "./revocation-watch.ts";
import { inBrief } from "./outcome-in-brief.ts";
import { concludeRun, type ConcludedVerdict, groupOf, type RunConclusion, runMeta } from "./run-conclusion.ts";
import { sleep } from "./sleep.ts";
import { statusMeta } from "./status-meta.ts";
import { createTaskContext, type TaskContextParts } from "./task-context.ts";
import { armTimeLimits } from "./time-limits.ts";
import type { TaskRun, TaskVerdict } from "./task-run.ts";
import type { ResolvedWorkerOptions } from "./worker-options.ts";

/** Pause before a message without a handler goes back to the queue, so that it does not circle. */
const UNREGISTERED_PAUSE_MS = 1_000;

/** How many runs a worker began, and how they ended. */
export interface RunCounts {
  started: number;
  completed: number;
  failed: number;
  retried: number;
}

/** What a {@link TaskExecution} works with. */
export interface TaskExecutionParts extends TaskContextParts {
  readonly options: ResolvedWorkerOptions;
  readonly finisher: DeliveryFinisher;
  readonly leases: LeaseKeeper;
  readonly revocations: RevocationWatch | undefined;
  readonly counts: RunCounts;
  /** Fires when the worker begins to stop. */
  readonly stopping: AbortSignal;
  readonly onError: (during: string, error: unknown, about?: Pick<TaskRun, "envelope">) => void;
}

/** One delivery end to end: decide, run, record. Whatever fails, each delivery has exactly one defined end. */
export class TaskExecution {
  readonly #parts: TaskExecutionParts;
  readonly #isolates: IsolateRunner;

  constructor(parts: TaskExecutionParts) {
    this.#parts = parts;
    const { isolates: host, clock, concurrency, lifecycle } = parts.options;
    this.#isolates = new IsolateRunner({
      host,
      clock,
      size: concurrency,
      maxRuns: lifecycle.maxTasksPerIsolate,
      onError: (error) => parts.onError("ending a thread", error),
    });
  }

  /** Ends the threads of isolated tasks, with whatever still runs in them. Never rejects, and does not wait for ever. */
  async close(): Promise<void> {
    const { clock, lifecycle } = this.#parts.options;
    const ended = new AbortController();
    void this.#isolates.close().then(() => ended.abort());
    // A thread that waits inside a system call ends when that returns.
    await sleep(clock, lifecycle.forceShutdownAfter, ended.signal);
  }

  /** Runs the task and settles its message; calls `freeSlot` in between. Never rejects. */
  async execute(run: TaskRun, freeSlot: () => void): Promise<void> {
    try {
      const verdict = await this.#decide(run);
      run.phase = "settling";
      run.stop.end(run.envelope.id);
      freeSlot();
      await this.#settle(run, verdict);
    } catch (error) {
      this.#parts.onError("settling a task; it is delivered again when its lease ends", error, run);
    } finally {
      this.#parts.leases.release(run);
    }
  }

  /** Puts the message back, visible at once; it counts as never delivered. */
  async giveBack(run: TaskRun): Promise<void> {
    run.phase = "settling";
    try {
      await this.#parts.options.broker.nack(run.delivery, { requeue: true, countsAsDelivery: false });
    } catch (error) {
      if (!(error instanceof LeaseLostError)) this.#parts.onError("giving a task back", error, run);
    } finally {
      this.#parts.leases.release(run);
    }
  }

  /** The broker gave up on a message, as each of its deliveries ended without a word: whoever waits for it is told. */
  async recordDeadLetter(envelope: Envelope): Promise<void> {
    const { options, onError, counts, events, finisher } = this.#parts;
    const { backend, clock, consumerName } = options;
    const message = `Task "${envelope.id}" was delivered too often without being settled.`;
    const error = { type: "MaxDeliveriesExceeded", message, retryable: false, meta: {} };
    const facts = { ...runMeta(consumerName, undefined), failedAt: new Date(clock.now()).toISOString() };
    try {
      const { attempt } = envelope;
      const meta = statusMeta(envelope, facts);
      await backend?.set(envelope.id, "failed", { attempt, error, meta });
      const groupId = groupOf(envelope);
      const status = { id: envelope.id, state: "failed", attempt, error, meta } as const;
      if (groupId !== undefined) await backend?.addGroupResult(groupId, status);
      await finisher.publishLinks(envelope, "failed");
    } catch (fault) {
      onError("recording a dead letter", fault, { envelope });
    }
    counts.failed += 1;
    events.emit({ type: "failed", envelope, error });
  }

  async #decide(run: TaskRun): Promise<TaskVerdict> {
    const { options, revocations, stopping, onError } = this.#parts;
    const { envelope } = run;
    const handler = options.registry.resolve(envelope.name);
    if (handler === undefined) return this.#withoutHandler();
    if (isExpired(envelope, options.clock.now())) return { kind: "expired" };
    if (revocations !== undefined) {
      try {
        const check = (): Promise<TaskVerdict | undefined> =>
          revocations.check(envelope.id).then((entry) => entry && { kind: "revoked", entry });
        const revoked = await retryingFaults(check, options.clock, stopping);
        if (revoked !== undefined) return revoked;
      } catch (error) {
        // Whether it may run is not known: another try, perhaps by another worker, has to find out.
        onError("reading revocations; the task goes back to its queue", error, run);
        return { kind: "give-back" };
      }
    }
    return run.early ?? this.#run(run, handler);
  }

  async #withoutHandler(): Promise<TaskVerdict> {
    const { options, stopping } = this.#parts;
    if (options.unregisteredTask === "dead-letter") return { kind: "unregistered" };
    await sleep(options.clock, UNREGISTERED_PAUSE_MS, stopping);
    return { kind: "give-back" };
  }

  async #run(run: TaskRun, handler: AnyTaskHandler): Promise<TaskVerdict> {
    const { options, counts, events } = this.#parts;
    const { envelope } = run;
    run.phase = "running";
    run.startedAt = new Date(options.clock.now()).toISOString();
    counts.started += 1;
    this.#writeRunning(run);
    events.emit({ type: "started", envelope });
    const limits = armTimeLimits(run, handler.options, options.clock, events);
    try {
      return await run.until(this.#call(run, handler));
    } finally {
      limits?.cancel();
    }
  }

  /** Sent, not awaited: the statuses of one handle keep their order, and this one decides nothing. */
  #writeRunning(run: TaskRun): void {
    const { backend, consumerName } = this.#parts.options;
    if (backend === undefined || !this.#isTracked(run)) return;
    const { envelope, delivery, startedAt } = run;
    const write = {
      attempt: envelope.attempt,
      meta: statusMeta(envelope, runMeta(consumerName, startedAt)),
      ...(run.isBroadcast ? {} : { fence: delivery.token }),
    };
    run.runningWritten = backend.set(envelope.id, "running", write).catch((error: unknown) => {
      this.#parts.onError("writing the status running", error, run);
    });
  }

  async #call(run: TaskRun, handler: AnyTaskHandler): Promise<TaskVerdict> {
    try {
      const context = createTaskContext(run, this.#parts);
      if (handler.isolated !== undefined) return await this.#isolates.run(run, handler.isolated, context);
      const result: unknown = await handler.run(context, run.envelope.args as never);
      return { kind: "succeeded", payload: toPayload(run.envelope.meta, result) };
    } catch (thrown) {
      const request = RetrySignal.requestOf(thrown);
      return request === undefined ? { kind: "failed", thrown } : { kind: "retry", request };
    }
  }

  async #settle(run: TaskRun, verdict: TaskVerdict): Promise<void> {
    if (verdict.kind === "lease-lost") return;
    if (verdict.kind === "give-back") return this.giveBack(run);
    const conclusion = this.#conclude(run, verdict);
    // A late `running` must not follow a `retried`; after a terminal state it changes nothing anyway.
    if (conclusion.event.type === "retried") await run.runningWritten;
    try {
      await this.#store(run, conclusion.outcome, conclusion);
    } catch (error) {
      if (!isPayloadFault(error)) throw error;
      // A refused result fails the attempt. A refused failure is stored once more, as briefly as it can be told.
      if (verdict.kind === "succeeded") return this.#settle(run, { kind: "failed", thrown: error });
      await this.#store(run, inBrief(run, conclusion.outcome, this.#parts.options), conclusion);
    }
  }

  async #store(run: TaskRun, outcome: DeliveryOutcome, { event }: RunConclusion): Promise<void> {
    const { counts, events, finisher } = this.#parts;
    try {
      await finisher.finish(run.delivery, outcome, this.#isTracked(run));
    } catch (error) {
      if (!(error instanceof LeaseLostError)) throw error;
      if (!run.isLeaseLost) events.emit({ type: "lease-lost", envelope: run.envelope });
      return;
    }
    if (event.type === "completed" || event.type === "failed" || event.type === "retried") counts[event.type] += 1;
    events.emit(event);
  }

  #isTracked({ envelope }: TaskRun): boolean {
    return this.#parts.options.registry.resolve(envelope.name)?.untracked !== true;
  }

  #conclude(run: TaskRun, verdict: ConcludedVerdict): RunConclusion {
    const { options, onError } = this.#parts;
    const { envelope } = run;
    const report = (during: string, error: unknown): void => onError(during, error, run);
    return concludeRun(verdict, {
      run,
      workerId: options.consumerName,
      now: options.clock.now(),
      policy: policyOf(envelope, options.registry.resolve(envelope.name)?.options, report),
      delay: (policy) => retryDelayOf(envelope, policy, options, report),
    });
  }
}

function isPayloadFault(error: unknown): boolean {
  return error instanceof PayloadTooLargeError || error instanceof PayloadNotSerializableError;
}
