import type {
  EmitOptions,
  EmitReceipt,
  ListRunsRequest,
  RunPage,
  RunState,
  WorkflowStepEntry,
} from "../contracts/workflow-store.ts";
import type { TaskHandler } from "../contracts/task-handler.ts";
import { checkDuration } from "../core/duration.ts";
import type { JsonValue } from "../core/json.ts";
import { checkText } from "../core/options.ts";
import { ClosedError } from "../errors.ts";
import { checkKnown } from "../runtime/check-ports.ts";
import { newChildOf, newRunOf, checkRunId } from "./new-run.ts";
import { RunExecutor } from "./run-executor.ts";
import { waitForRun } from "./wait-for-run.ts";
import { checkVersionedStepName } from "./step-names.ts";
import type { AnyWorkflowDefinition } from "./workflow-definition.ts";
import type { WorkflowEventListener, WorkflowEventType } from "./workflow-events.ts";
import type { CompletionOptions, StartOptions, WorkflowStarter } from "./workflow-handle.ts";
import { WorkflowListeners } from "./workflow-listeners.ts";
import { topicOf, type WorkflowEventRef, type WorkflowRef } from "./workflow-refs.ts";
import { createWorkflowResult, type WorkflowResult } from "./workflow-result.ts";
import {
  type ResolvedWorkflowRuntimeOptions,
  resolveRuntimeOptions,
  type WorkflowRuntimeOptions,
} from "./workflow-runtime-options.ts";
import { workflowTasks } from "./workflow-tasks.ts";
import { WorkflowUpkeep } from "./workflow-upkeep.ts";

/** A run with its checkpoints. */
export interface RunDetail {
  readonly run: RunState;
  readonly steps: readonly WorkflowStepEntry[];
}

const COMPLETION_OPTIONS: ReadonlySet<string> = new Set<keyof CompletionOptions>(["timeout"]);
const CANCEL_OPTIONS: ReadonlySet<string> = new Set(["reason", "compensate"]);

/**
 * Runs workflows on an ordinary worker: give that `tasks`, and have it work on `queues`. Starts runs, tells them of
 * events, and looks after those whose worker or message was lost.
 */
export class WorkflowRuntime implements WorkflowStarter {
  /** The handlers by which a worker goes on with runs. */
  readonly tasks: readonly TaskHandler[];
  /** The queues that these handlers are wanted on. */
  readonly queues: readonly string[];
  readonly #options: ResolvedWorkflowRuntimeOptions;
  readonly #listeners: WorkflowListeners;
  readonly #upkeep: WorkflowUpkeep;
  readonly #closing = new AbortController();

  /** Throws `InvalidOptionError`, `InvalidNameError` or `DuplicateWorkflowError`, and does nothing else yet. */
  constructor(options: WorkflowRuntimeOptions) {
    this.#options = resolveRuntimeOptions(options);
    const { clock, logger, queue, continuationQueue } = this.#options;
    this.#listeners = new WorkflowListeners(clock, logger);
    this.#upkeep = new WorkflowUpkeep(this.#options);
    const executor = new RunExecutor({
      options: this.#options,
      listeners: this.#listeners,
      newChild: (parent, ref, params, childOptions) => newChildOf(parent, ref, params, childOptions, this.#options),
    });
    this.tasks = workflowTasks(this.#options, executor, this.#upkeep);
    this.queues = [...new Set([queue, continuationQueue])];
  }

  /** The workflows that are registered here, by name and version. */
  get workflows(): readonly AnyWorkflowDefinition[] {
    return this.#options.registry.definitions;
  }

  /** Begins to look after runs. A second call does nothing. */
  async start(): Promise<void> {
    this.#checkOpen();
    this.#upkeep.start();
  }

  /**
   * Stores a run and its first message, in one transaction where store and broker share a database. Resolves to its id.
   * Throws `UnknownWorkflowError`, `DuplicateRunError` and their like before any effect.
   */
  async startWorkflow<Params extends object>(
    workflow: string | WorkflowRef<Params>,
    options: StartOptions<Params> = {},
  ): Promise<string> {
    this.#checkOpen();
    const run = newRunOf(workflow as WorkflowRef<never>, options as StartOptions<never>, this.#options);
    const runId = await this.#options.store.createRun(run);
    await this.#upkeep.published();
    return runId;
  }

  /**
   * Wakes the runs that wait for the topic; runs that exist already and come to wait for it later find the event, too.
   * Atomic.
   */
  async emit<T extends JsonValue>(
    topic: string | WorkflowEventRef<T>,
    payload: T,
    options?: EmitOptions,
  ): Promise<EmitReceipt> {
    this.#checkOpen();
    const receipt = await this.#options.store.emit(topicOf(topic), payload, options);
    await this.#upkeep.published();
    return receipt;
  }

  /** Ends a run at once or, with `compensate`, after it was undone. `false` when it has ended or is unknown. */
  async cancelWorkflow(
    runId: string,
    options: Readonly<{ reason?: string; compensate?: boolean }> = {},
  ): Promise<boolean> {
    this.#checkOpen();
    checkKnown("", options, CANCEL_OPTIONS);
    if (options.reason !== undefined) checkText("reason", options.reason);
    const isCancelled = await this.#options.store.cancel(checkRunId(runId), options);
    await this.#upkeep.published();
    return isCancelled;
  }

  /** Has a run go on from before this step, also one that has ended. `false` when there is no such step. */
  async rewindToStep(runId: string, step: string): Promise<boolean> {
    this.#checkOpen();
    const isRewound = await this.#options.store.rewindToStep(checkRunId(runId), checkVersionedStepName(step));
    await this.#upkeep.published();
    return isRewound;
  }

  /** The same as {@link WorkflowRuntime.rewindToStep}. */
  rewindToCheckpoint(runId: string, step: string): Promise<boolean> {
    return this.rewindToStep(runId, step);
  }

  /** Has a failed or cancelled run go on from its checkpoints. `false` for any other. */
  async resumeRun(runId: string): Promise<boolean> {
    this.#checkOpen();
    const isResumed = await this.#options.store.resumeRun(checkRunId(runId));
    await this.#upkeep.published();
    return isResumed;
  }

  /**
   * Waits until a run has ended; at the timeout the result says `timedOut`. `null` when there is no such run. Throws
   * `ClosedError` when this object or the store is closed meanwhile.
   */
  async waitForCompletion<Result>(
    runId: string,
    options: CompletionOptions = {},
  ): Promise<WorkflowResult<Result> | null> {
    this.#checkOpen();
    checkKnown("", options, COMPLETION_OPTIONS);
    if (options.timeout !== undefined) checkDuration("timeout", options.timeout);
    const { store, clock } = this.#options;
    const wait = { clock, timeout: options.timeout, signal: this.#closing.signal };
    const state = await waitForRun(store, checkRunId(runId), wait);
    return state === null ? null : createWorkflowResult<Result>(state);
  }

  /** The present state of a run. */
  viewRun(runId: string): Promise<RunState | null> {
    return this.#options.store.get(checkRunId(runId));
  }

  /** A run with its checkpoints; `null` when there is none of this id. */
  async viewRunDetail(runId: string): Promise<RunDetail | null> {
    const { store } = this.#options;
    const [run, steps] = await Promise.all([store.get(checkRunId(runId)), store.listSteps(runId)]);
    return run === null ? null : { run, steps };
  }

  /** Latest change first. */
  listRunViews(request?: ListRunsRequest): Promise<RunPage> {
    return this.#options.store.listRuns(request);
  }

  /** Calls `listener` for each event of one type in this runtime, until the returned function is called. */
  on<T extends WorkflowEventType>(type: T, listener: WorkflowEventListener<T>): () => void {
    return this.#listeners.on(type, listener);
  }

  /** Stops looking after runs, and ends waits with `ClosedError`. The worker and the stores stay open. Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort(new ClosedError("The workflow runtime"));
    await this.#upkeep.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #checkOpen(): void {
    this.#closing.signal.throwIfAborted();
  }
}
