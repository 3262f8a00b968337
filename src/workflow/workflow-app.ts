import type { Broker } from "../contracts/broker.ts";
import type { ResultBackend } from "../contracts/result-backend.ts";
import type { RevokeStore } from "../contracts/revoke-store.ts";
import type { AnyTaskHandler } from "../contracts/task-handler.ts";
import type {
  EmitOptions,
  EmitReceipt,
  ListRunsRequest,
  RunPage,
  RunState,
  WorkflowStore,
} from "../contracts/workflow-store.ts";
import type { JsonValue } from "../core/json.ts";
import { InvalidOptionError } from "../errors.ts";
import { checkKnown, type RuntimePorts } from "../runtime/check-ports.ts";
import { Stem } from "../runtime/stem.ts";
import { TaskRegistry } from "../runtime/task-registry.ts";
import { Worker } from "../runtime/worker.ts";
import type { WorkerOptions } from "../runtime/worker-options.ts";
import type { AnyWorkflowDefinition } from "./workflow-definition.ts";
import type { WorkflowEventListener, WorkflowEventType } from "./workflow-events.ts";
import type { CompletionOptions, StartOptions, WorkflowStarter } from "./workflow-handle.ts";
import type { WorkflowEventRef, WorkflowRef } from "./workflow-refs.ts";
import type { HasDefinition } from "./workflow-registry.ts";
import type { WorkflowResult } from "./workflow-result.ts";
import { type RunDetail, WorkflowRuntime } from "./workflow-runtime.ts";
import type { WorkflowRuntimeOptions } from "./workflow-runtime-options.ts";

/** What workflows and tasks an app runs, and how. */
export interface WorkflowAppOptions extends RuntimePorts {
  readonly workflows: readonly HasDefinition[];
  /** Handlers of tasks, such as those that steps enqueue. */
  readonly tasks?: readonly AnyTaskHandler[];
  /**
   * Tuning of the worker. Its queues are those of the workflows, the default queue of tasks, and what `queue` or
   * `subscription` name.
   */
  readonly worker?: Omit<
    WorkerOptions,
    "broker" | "backend" | "tasks" | "registry" | "revokeStore" | keyof RuntimePorts
  >;
  /** Tuning of the runtime. */
  readonly runtime?: Omit<
    WorkflowRuntimeOptions,
    "stem" | "broker" | "backend" | "store" | "workflows" | keyof RuntimePorts
  >;
}

/** The stores of an app. */
export interface WorkflowAppStores {
  readonly broker: Broker;
  readonly backend: ResultBackend;
  readonly store: WorkflowStore;
  readonly revokeStore?: RevokeStore;
}

const OPTION_NAMES: ReadonlySet<string> = new Set<keyof WorkflowAppOptions>([
  "workflows",
  "tasks",
  "worker",
  "runtime",
  "clock",
  "ids",
  "randomness",
  "logger",
]);

/** Workflows, tasks, a producer and a worker on one set of stores. */
export class WorkflowApp implements WorkflowStarter {
  readonly broker: Broker;
  readonly backend: ResultBackend;
  readonly store: WorkflowStore;
  readonly revokeStore: RevokeStore | undefined;
  readonly stem: Stem;
  readonly worker: Worker;
  readonly runtime: WorkflowRuntime;
  readonly #closeStores: () => Promise<void>;
  #closing: Promise<void> | undefined;

  /** `closeStores` is called last in `close`. */
  constructor(
    stores: WorkflowAppStores,
    options: WorkflowAppOptions,
    closeStores: () => Promise<void> = async () => undefined,
  ) {
    checkKnown("", options, OPTION_NAMES);
    const { workflows, tasks = [], worker = {}, runtime = {}, ...ports } = options;
    const { broker, backend, store, revokeStore } = stores;
    this.broker = broker;
    this.backend = backend;
    this.store = store;
    this.revokeStore = revokeStore;
    this.#closeStores = closeStores;
    const registry = new TaskRegistry(tasks);
    // The names of tasks are the worker's business, which may be another process.
    this.stem = new Stem({ broker, backend, ...ports });
    this.runtime = new WorkflowRuntime({ ...runtime, ...ports, stem: this.stem, broker, backend, store, workflows });
    registry.registerAll(this.runtime.tasks);
    const { queue, subscription, ...rest } = worker;
    if (queue !== undefined && subscription !== undefined) {
      throw new InvalidOptionError("worker.queue", queue, "either this or worker.subscription");
    }
    const named = queue === undefined ? (subscription?.queues ?? []) : [queue];
    const queues = [...new Set([...this.runtime.queues, runtime.executionQueue ?? "default", ...named])];
    this.worker = new Worker({
      ...rest,
      ...ports,
      broker,
      backend,
      registry,
      ...(revokeStore === undefined ? {} : { revokeStore }),
      subscription: { ...subscription, queues },
    });
  }

  /** Begins to run workflows and tasks. A second call does nothing; without it, the app only starts and tells runs. */
  async start(): Promise<void> {
    await this.runtime.start();
    await this.worker.start();
  }

  /** See {@link WorkflowRuntime.startWorkflow}. */
  startWorkflow<Params extends object>(
    workflow: string | WorkflowRef<Params>,
    options?: StartOptions<Params>,
  ): Promise<string> {
    return this.runtime.startWorkflow(workflow, options);
  }

  /** See {@link WorkflowRuntime.waitForCompletion}. */
  waitForCompletion<Result>(runId: string, options?: CompletionOptions): Promise<WorkflowResult<Result> | null> {
    return this.runtime.waitForCompletion<Result>(runId, options);
  }

  /** See {@link WorkflowRuntime.emit}. */
  emit<T extends JsonValue>(
    topic: string | WorkflowEventRef<T>,
    payload: T,
    options?: EmitOptions,
  ): Promise<EmitReceipt> {
    return this.runtime.emit(topic, payload, options);
  }

  /** See {@link WorkflowRuntime.cancelWorkflow}. */
  cancelWorkflow(runId: string, options?: Readonly<{ reason?: string; compensate?: boolean }>): Promise<boolean> {
    return this.runtime.cancelWorkflow(runId, options);
  }

  /** See {@link WorkflowRuntime.rewindToStep}. */
  rewindToStep(runId: string, step: string): Promise<boolean> {
    return this.runtime.rewindToStep(runId, step);
  }

  /** See {@link WorkflowRuntime.resumeRun}. */
  resumeRun(runId: string): Promise<boolean> {
    return this.runtime.resumeRun(runId);
  }

  /** The present state of a run. */
  viewRun(runId: string): Promise<RunState | null> {
    return this.runtime.viewRun(runId);
  }

  /** A run with its checkpoints. */
  viewRunDetail(runId: string): Promise<RunDetail | null> {
    return this.runtime.viewRunDetail(runId);
  }

  /** Latest change first. */
  listRunViews(request?: ListRunsRequest): Promise<RunPage> {
    return this.runtime.listRunViews(request);
  }

  /** The workflows of this app, with the steps of its flows. */
  get workflowManifest(): readonly AnyWorkflowDefinition[] {
    return this.runtime.workflows;
  }

  /** See {@link WorkflowRuntime.on}. */
  on<T extends WorkflowEventType>(type: T, listener: WorkflowEventListener<T>): () => void {
    return this.runtime.on(type, listener);
  }

  /** Stops the worker warm, then closes everything that the app opened. Idempotent. */
  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await this.worker.shutdown();
    await this.runtime.close();
    await this.stem.close();
    await this.#closeStores();
  }
}
