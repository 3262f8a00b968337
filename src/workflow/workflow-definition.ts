import type { WorkflowCancellationPolicy } from "../contracts/workflow-store.ts";
import type { EnqueueOptions, EnqueueRequest } from "../contracts/task-enqueuer.ts";
import type { TaskError } from "../contracts/result-backend.ts";
import type { Milliseconds } from "../core/duration.ts";
import type { JsonObject, JsonValue } from "../core/json.ts";
import type { TaskRetryPolicy } from "../core/retry-policy.ts";
import type { WorkflowEventRef, WorkflowRef } from "./workflow-refs.ts";

/** What a step is, for people and tools; without effect. */
export type StepKind = "task" | "choice" | "parallel" | "wait" | "custom";

/** Settings of one step. */
export interface StepOptions<Result = unknown> {
  /**
   * Each time the step is reached it has a checkpoint of its own, `name#0`, `name#1` and so on: for loops.
   *
   * @defaultValue `false`
   */
  readonly autoVersion?: boolean;
  /** When and how often the step is tried again after it has failed. @defaultValue the runtime's `stepRetryPolicy` */
  readonly retryPolicy?: TaskRetryPolicy;
  /**
   * Undoes the step when the run fails or is cancelled with `compensate`, after all steps that completed later were
   * undone. Gets what the step returned; retried as the step is, and recorded once it has succeeded.
   */
  readonly compensate?: (context: WorkflowStepContext, result: Result) => unknown;
  /** @defaultValue the step's name */
  readonly title?: string;
  /** @defaultValue `"task"` */
  readonly kind?: StepKind;
  /** Names of the tasks it enqueues, for tools. */
  readonly taskNames?: readonly string[];
  readonly metadata?: JsonObject;
}

/** How long to wait for an event, a child or tasks, and what to show meanwhile. */
export interface WaitForOptions {
  /** When waiting is given up; wins over `timeout`. */
  readonly deadline?: Date;
  /** When waiting is given up, from the moment the wait begins. */
  readonly timeout?: Milliseconds;
  /** Kept with the wait. */
  readonly data?: JsonObject;
}

/** A child to be started. */
export interface ChildOptions {
  readonly ttl?: Milliseconds;
  readonly cancellationPolicy?: WorkflowCancellationPolicy;
  /** Cancelled when its parent is. @defaultValue `true` */
  readonly endsWithParent?: boolean;
  readonly timeout?: Milliseconds;
}

/** How one of several tasks ended. */
export interface TaskOutcome {
  readonly taskId: string;
  readonly status: "succeeded" | "failed";
  /** Null where it failed, or where results are not kept. */
  readonly value: JsonValue;
  readonly error?: TaskError;
}

/** What every part of a workflow's code sees. */
export interface WorkflowFacts<Params extends object = JsonObject> {
  /** Name of the workflow. */
  readonly workflow: string;
  readonly version: number;
  readonly runId: string;
  readonly params: Params;
  /**
   * What others can tell repetitions by: `<workflow>/<runId>/<scope>`. Without a scope in a step, the step's name and
   * iteration.
   */
  idempotencyKey(scope?: string): string;
}

/** Ways to wait. While a run waits nothing of it is in memory, and it goes on in whatever process there is then. */
export interface WorkflowWaits {
  /** Waits this long. */
  sleep(duration: Milliseconds, options?: Readonly<{ name?: string; data?: JsonObject }>): Promise<ResumeData>;
  /** The same as `sleep`. */
  suspendFor(duration: Milliseconds, options?: Readonly<{ name?: string; data?: JsonObject }>): Promise<ResumeData>;
  /**
   * Waits for an event of this topic: each event since the run was created is found once, in order. Resolves to an
   * `event` with its payload, or to `deadline`.
   */
  awaitEvent<T extends JsonValue = JsonValue>(
    topic: string | WorkflowEventRef<T>,
    options?: WaitForOptions & Readonly<{ name?: string }>,
  ): Promise<EventResume<T>>;
  /** Waits for an event and resolves to its payload; `undefined` when the deadline has passed. */
  waitForEvent<T extends JsonValue = JsonValue>(
    topic: string | WorkflowEventRef<T>,
    options?: WaitForOptions & Readonly<{ name?: string }>,
  ): Promise<T | undefined>;
}

/** Why code that waited goes on. `data` is what was given with the wait. */
export type ResumeData =
  | { readonly kind: "timer"; readonly data: JsonObject }
  | { readonly kind: "event"; readonly payload: JsonValue; readonly data: JsonObject }
  | { readonly kind: "deadline"; readonly data: JsonObject };

/** Why code that waited for an event goes on. */
export type EventResume<T> =
  | { readonly kind: "event"; readonly payload: T; readonly data: JsonObject }
  | { readonly kind: "deadline"; readonly data: JsonObject };

/**
 * What the function of a step sees. A wait in a step ends the function there; when the wait is over it runs again from
 * its beginning, and its waits so far are over at once. What has an effect belongs into a step of its own.
 */
export interface WorkflowStepContext<Params extends object = JsonObject> extends WorkflowFacts<Params>, WorkflowWaits {
  readonly stepName: string;
  /** How many steps the run has come to before. */
  readonly stepIndex: number;
  /** Of a step with `autoVersion`, from 0. */
  readonly iteration: number;
  /** How often the step has failed before. */
  readonly attempt: number;
  /** What the step before returned; null at the first. */
  readonly previousResult: JsonValue;
  /** Fires when the run is no longer this worker's: cancelled, taken over, or the worker stops. */
  readonly signal: AbortSignal;
  /** What the last wait of this step came to, once; null before that. */
  takeResumeData(): ResumeData | null;
  /**
   * Enqueues a task that knows which step it is of. Its id is made of run, step and order, so that a step that runs
   * again enqueues no task twice; with a result backend that also holds for tasks that have ended.
   */
  enqueue(name: string, options?: EnqueueOptions): Promise<string>;
}

/** What the function of a script sees: it runs from its beginning each time the run goes on, over what is recorded. */
export interface WorkflowScriptContext<Params extends object = JsonObject>
  extends WorkflowFacts<Params>, WorkflowWaits {
  /**
   * Runs a function once and records what it returns; afterwards this gives what is recorded. Several at once, with
   * `Promise.all`, run at the same time. Throws `StepFailedError` when it has failed for good.
   */
  step<Result = void>(
    name: string,
    run: (context: WorkflowStepContext<Params>) => Promise<Result> | Result,
    options?: StepOptions<Result>,
  ): Promise<Result>;
  /** Starts another workflow and waits for it. Throws `WorkflowFailedError` when it did not complete, or not in time. */
  child<ChildParams extends object, Result>(
    name: string,
    workflow: WorkflowRef<ChildParams, Result>,
    params: ChildParams,
    options?: ChildOptions,
  ): Promise<Result>;
  /** Enqueues tasks, and goes on when all have ended. Their outcomes are in the order of the requests. */
  tasks(
    name: string,
    requests: readonly EnqueueRequest[],
    options?: Readonly<{ timeout?: Milliseconds }>,
  ): Promise<readonly TaskOutcome[]>;
  /**
   * Whether this run goes by the code as it was changed: `true` in runs that come here for the first time, `false` in
   * those that were here before the change.
   */
  patched(change: string): Promise<boolean>;
}

/** One step of a definition, for tools. */
export interface StepManifest {
  readonly name: string;
  readonly title: string;
  readonly kind: StepKind;
  readonly autoVersion: boolean;
  readonly taskNames: readonly string[];
  readonly metadata: JsonObject;
}

/** A workflow as runtimes know it; `Flow` and `WorkflowScript` make one. */
export interface WorkflowDefinition<Params extends object = never, Result = unknown> {
  readonly name: string;
  /** New runs follow the greatest one that is registered; a run keeps the one it began with. */
  readonly version: number;
  readonly kind: "flow" | "script";
  readonly description: string;
  readonly metadata: JsonObject;
  /** Changes whenever name, version or steps do. */
  readonly stableId: string;
  /** Empty for a script, whose steps are known when they run. */
  readonly steps: readonly StepManifest[];
  /** @internal */
  readonly body: (script: WorkflowScriptContext<Params>) => Promise<Result>;
}

/** A definition of whatever parameters: the type of lists of them. */
export type AnyWorkflowDefinition = WorkflowDefinition;
