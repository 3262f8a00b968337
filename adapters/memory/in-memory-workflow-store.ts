import type { Timer } from "../../src/contracts/clock.ts";
import {
  checkCheckpointName,
  checkClaim,
  checkLease,
  checkLimit,
  checkOffset,
  checkReason,
  checkRunId,
  encodeClaimRequest,
  encodePayload,
  encodeRun,
  encodeStep,
  encodeTaskEnd,
  encodeWaits,
} from "../../src/core/workflow-checks.ts";
import { inOrderShown } from "../../src/core/workflow-ends.ts";
import { toStepEntries, toWait } from "../../src/core/workflow-rows.ts";
import type {
  ClaimOutcome,
  ClaimRequest,
  Continuation,
  EmitOptions,
  EmitReceipt,
  ListRunsRequest,
  NewRun,
  NewWait,
  RunClaim,
  RunPage,
  RunState,
  SaveReceipt,
  StepWrite,
  TaskEnd,
  WorkflowStepEntry,
  WorkflowStore,
  WorkflowWatcher,
} from "../../src/contracts/workflow-store.ts";
import type { Broker } from "../../src/contracts/broker.ts";
import type { TaskError } from "../../src/contracts/result-backend.ts";
import { checkDuration, type Milliseconds } from "../../src/core/duration.ts";
import { type JsonValue, stringifyJsonWithin } from "../../src/core/json.ts";
import { checkName } from "../../src/core/names.ts";
import { checkBoolean, checkInteger, checkOneOf, checkShortText } from "../../src/core/options.ts";
import { encodeTaskError } from "../../src/core/task-error.ts";
import { CANCEL, DEFAULT_CANCEL_REASON } from "../../src/core/workflow-rules.ts";
import { WORKFLOW_STATUSES } from "../../src/core/workflow-status.ts";
import { ClosedError, InvalidOptionError } from "../../src/errors.ts";
import { InMemoryWorkflowData, type WorkflowNamespace } from "./in-memory-workflow-data.ts";
import { WorkflowChanges } from "./in-memory-workflow-changes.ts";
import * as rules from "./in-memory-workflow-rules.ts";
import {
  type InMemoryWorkflowStoreOptions,
  type ResolvedInMemoryWorkflowStoreOptions,
  resolveInMemoryWorkflowStoreOptions,
} from "./in-memory-workflow-store-options.ts";
import { emitEvent, putTaskEnd } from "./in-memory-workflow-waits.ts";
import { PushIterator } from "./push-iterator.ts";
import { repeatEvery } from "./repeat-every.ts";

/** The whole workflow contract on plain maps, kept as long as the process: for tests, and an oracle for others. */
export class InMemoryWorkflowStore implements WorkflowStore {
  readonly namespace: string;
  readonly #options: ResolvedInMemoryWorkflowStoreOptions;
  readonly #space: WorkflowNamespace;
  readonly #watches = new Set<PushIterator<RunState>>();
  readonly #sweeper: Timer;
  #closed = false;

  /** Throws `InvalidOptionError` or `InvalidNameError` for a bad option. */
  constructor(options?: InMemoryWorkflowStoreOptions) {
    this.#options = resolveInMemoryWorkflowStoreOptions(options);
    this.namespace = this.#options.namespace;
    this.#space = (this.#options.store ?? new InMemoryWorkflowData()).namespace(this.namespace);
    const { clock, cleanupInterval, logger } = this.#options;
    this.#sweeper = repeatEvery(clock, cleanupInterval, logger, () => rules.prune(this.#changes()));
  }

  /** `false`: it shares nothing with any broker. */
  dispatchTo(_broker: Broker): boolean {
    this.#checkOpen();
    return false;
  }

  async createRun(run: NewRun): Promise<string> {
    const encoded = encodeRun(run, this.#options);
    this.#change((changes) => rules.createRun(changes, encoded));
    return encoded.runId;
  }

  async get(runId: string): Promise<RunState | null> {
    const run = this.#read(checkRunId(runId));
    return run === undefined ? null : this.#changes().stateOf(run);
  }

  async listSteps(runId: string): Promise<readonly WorkflowStepEntry[]> {
    const run = this.#read(checkRunId(runId));
    return run === undefined ? [] : toStepEntries([...run.steps.values()]);
  }

  async readStep(runId: string, step: string): Promise<JsonValue | undefined> {
    const stored = this.#read(checkRunId(runId))?.steps.get(checkCheckpointName(step));
    return stored === undefined ? undefined : (JSON.parse(stored.value) as JsonValue);
  }

  async listRuns(request: ListRunsRequest = {}): Promise<RunPage> {
    const changes = this.#changes();
    const { workflow, status, parentRunId } = request;
    const limit = checkLimit(request.limit ?? 50);
    const offset = checkOffset(request.offset ?? 0);
    if (workflow !== undefined) checkName("workflow", workflow);
    if (status !== undefined) checkOneOf("status", status, WORKFLOW_STATUSES);
    if (parentRunId !== undefined) checkRunId(parentRunId, "parentRunId");
    const found = rules.latestRuns(changes, request);
    const end = offset + limit;
    const runs = found.slice(offset, end).map((run) => changes.stateOf(run));
    return limit > 0 && end < found.length ? { runs, nextOffset: end } : { runs };
  }

  async listRunnableRuns(options: Readonly<{ limit?: number; offset?: number }> = {}): Promise<readonly string[]> {
    const changes = this.#changes();
    const limit = checkLimit(options.limit ?? 50);
    const offset = checkOffset(options.offset ?? 0);
    const runs = rules.runnableRuns(changes).slice(offset, offset + limit);
    return runs.map(({ row }) => row.runId);
  }

  async claimRun(runId: string, request: ClaimRequest): Promise<ClaimOutcome> {
    const encoded = encodeClaimRequest(request);
    checkRunId(runId);
    return this.#change((changes) => {
      const refused = rules.refuseClaim(changes, runId, encoded);
      if (refused !== undefined) return refused;
      const { run, claim } = rules.takeRun(changes, runId, encoded);
      const waits = inOrderShown([...run.waits.values()]).map(toWait);
      return {
        kind: "claimed",
        claim,
        run: changes.stateOf(run),
        steps: toStepEntries([...run.steps.values()]),
        waits,
      };
    });
  }

  async renewRunLease(claim: RunClaim, leaseDuration: Milliseconds): Promise<Date> {
    const [checked, lease] = [checkClaim(claim), checkLease(leaseDuration)];
    return this.#change((changes) => {
      changes.held(checked).leaseEndsAt = changes.at.monotonic + lease;
      return new Date(changes.now + lease);
    });
  }

  async releaseRun(
    claim: RunClaim,
    options: Readonly<{ delay?: Milliseconds; error?: TaskError }> = {},
  ): Promise<void> {
    const checked = checkClaim(claim);
    const { delay = 0, error } = options;
    const wait = Math.ceil(checkDuration("delay", delay));
    const text = error === undefined ? undefined : encodeTaskError(error, this.#options.maxPayloadBytes);
    this.#change((changes) => rules.releaseRun(changes, changes.held(checked), wait, text));
  }

  async saveStep(
    claim: RunClaim,
    step: StepWrite,
    options: Readonly<{ leaseDuration: Milliseconds; child?: NewRun }>,
  ): Promise<SaveReceipt> {
    const checked = checkClaim(claim);
    const encoded = encodeStep(step, this.#options.maxPayloadBytes);
    const lease = checkLease(options?.leaseDuration);
    const child = options.child === undefined ? undefined : encodeRun(options.child, this.#options);
    return this.#change((changes) => {
      const run = changes.held(checked);
      rules.saveStep(changes, run, encoded);
      run.leaseEndsAt = changes.at.monotonic + lease;
      if (child !== undefined && !changes.space.runs.has(child.runId)) changes.create(child);
      return { cancelRequested: run.row.cancelRequested !== CANCEL.NOT_ASKED };
    });
  }

  async suspend(claim: RunClaim, waits: readonly NewWait[]): Promise<void> {
    const checked = checkClaim(claim);
    const encoded = encodeWaits(waits, this.#options.maxPayloadBytes);
    this.#change((changes) => rules.suspend(changes, changes.held(checked), encoded));
  }

  async markCompleted(claim: RunClaim, result: JsonValue, step?: StepWrite): Promise<void> {
    const checked = checkClaim(claim);
    const { maxPayloadBytes } = this.#options;
    const text = stringifyJsonWithin(result, "result", maxPayloadBytes);
    const encoded = step === undefined ? undefined : encodeStep(step, maxPayloadBytes);
    this.#change((changes) => {
      const run = changes.held(checked);
      if (encoded !== undefined) rules.saveStep(changes, run, encoded);
      changes.end(run, { status: "completed", result: text, lastError: null });
    });
  }

  async markFailed(claim: RunClaim, error: TaskError): Promise<void> {
    const checked = checkClaim(claim);
    const text = encodeTaskError(error, this.#options.maxPayloadBytes);
    this.#change((changes) => {
      const run = changes.held(checked);
      const isAsked = run.row.cancelRequested !== CANCEL.NOT_ASKED;
      changes.end(run, { status: isAsked ? "cancelled" : "failed", lastError: text });
      if (isAsked) changes.askChildren(run);
    });
  }

  async cancel(runId: string, options: Readonly<{ reason?: string; compensate?: boolean }> = {}): Promise<boolean> {
    checkRunId(runId);
    const { reason = DEFAULT_CANCEL_REASON, compensate = false } = options;
    checkReason(reason);
    checkBoolean("compensate", compensate);
    return this.#change((changes) => rules.cancel(changes, runId, reason, compensate));
  }

  async rewindToStep(runId: string, step: string): Promise<boolean> {
    checkRunId(runId);
    checkCheckpointName(step);
    return this.#change((changes) => rules.rewind(changes, runId, step));
  }

  async resumeRun(runId: string): Promise<boolean> {
    checkRunId(runId);
    return this.#change((changes) => rules.resume(changes, runId));
  }

  async emit(topic: string, payload: JsonValue, options: EmitOptions = {}): Promise<EmitReceipt> {
    checkName("topic", topic);
    const text = encodePayload(payload, this.#options.maxPayloadBytes);
    const { eventId, ttl = this.#options.eventTtl } = options;
    if (eventId !== undefined) checkShortText("eventId", eventId, 200);
    const event = { id: eventId, payload: text, ttl: Math.ceil(checkDuration("ttl", ttl)) };
    return this.#change((changes) => emitEvent(changes, topic, event));
  }

  async listWatchers(
    topic: string,
    options: Readonly<{ limit?: number; offset?: number }> = {},
  ): Promise<readonly WorkflowWatcher[]> {
    const changes = this.#changes();
    checkName("topic", topic);
    const limit = checkLimit(options.limit ?? 50);
    const offset = checkOffset(options.offset ?? 0);
    const found = changes.waitsFor("event", topic).slice(offset, offset + limit);
    return found.map(([{ row }, wait]) => {
      const { step, createdAt, resumeAt, data = {} } = toWait(wait);
      const deadline = resumeAt === undefined ? {} : { deadline: resumeAt };
      return { runId: row.runId, stepName: step, topic, createdAt, ...deadline, data };
    });
  }

  async runsWaitingOn(topic: string, options: Readonly<{ limit?: number }> = {}): Promise<readonly string[]> {
    const changes = this.#changes();
    checkName("topic", topic);
    const limit = checkLimit(options.limit ?? 50);
    const runIds = new Set(changes.waitsFor("event", topic).map(([{ row }]) => row.runId));
    return [...runIds].slice(0, limit);
  }

  async recordTaskEnd(end: TaskEnd): Promise<void> {
    const encoded = encodeTaskEnd(end, this.#options.maxPayloadBytes);
    this.#change((changes) => putTaskEnd(changes, encoded));
  }

  async recoverRuns(
    options: Readonly<{ grace: Milliseconds; maxRecoveries: number; limit: number }>,
  ): Promise<readonly string[]> {
    const grace = checkDuration("grace", options?.grace);
    const maxRecoveries = checkInteger("maxRecoveries", options.maxRecoveries, { min: 0, max: 1_000_000 });
    const limit = checkLimit(options.limit);
    return this.#change((changes) => rules.recover(changes, { grace, maxRecoveries, limit }));
  }

  async pendingContinuations(limit: number): Promise<readonly Continuation[]> {
    this.#checkOpen();
    return [...this.#space.outbox.values()].slice(0, checkLimit(limit)).map(({ notBefore, ...rest }) => ({
      ...rest,
      ...(notBefore === null ? {} : { notBefore: new Date(notBefore) }),
    }));
  }

  async confirmContinuations(continuations: readonly Continuation[]): Promise<void> {
    this.#checkOpen();
    if (!Array.isArray(continuations)) throw new InvalidOptionError("continuations", continuations, "an array");
    const refs = continuations.map(({ runId, number }: Continuation) => ({
      runId: checkRunId(runId),
      number: checkInteger("number", number, { min: 1, max: Number.MAX_SAFE_INTEGER }),
    }));
    for (const { runId, number } of refs) {
      if (this.#space.outbox.get(runId)?.number === number) this.#space.outbox.delete(runId);
    }
  }

  async prune(): Promise<number> {
    return rules.prune(this.#changes());
  }

  watch(runId: string): AsyncIterableIterator<RunState> {
    const changes = this.#changes();
    const run = this.#space.runs.get(checkRunId(runId));
    const watches = this.#space.watches.get(runId) ?? new Set();
    const watch = new PushIterator<RunState>((ended) => {
      this.#watches.delete(ended);
      watches.delete(ended);
      if (watches.size === 0) this.#space.watches.delete(runId);
    });
    this.#space.watches.set(runId, watches.add(watch));
    this.#watches.add(watch);
    if (run !== undefined) changes.tell(run, watch);
    return watch;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#sweeper.cancel();
    for (const watch of [...this.#watches]) watch.end();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #checkOpen(): void {
    if (this.#closed) throw new ClosedError("Workflow store");
  }

  /** The present instant; throws `ClosedError` after `close`. */
  #changes(): WorkflowChanges {
    this.#checkOpen();
    const { clock } = this.#options;
    return new WorkflowChanges(this.#space, { now: Math.floor(clock.now()), monotonic: clock.monotonic() });
  }

  #change<T>(work: (changes: WorkflowChanges) => T): T {
    const changes = this.#changes();
    const value = work(changes);
    changes.announce();
    return value;
  }

  #read(runId: string): ReturnType<WorkflowNamespace["runs"]["get"]> {
    this.#checkOpen();
    return this.#space.runs.get(runId);
  }
}
