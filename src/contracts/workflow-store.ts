import type { Milliseconds } from "../core/duration.ts";
import type { JsonObject, JsonValue } from "../core/json.ts";
import type { Continuation } from "../core/workflow-continuation.ts";
import type {
  ClaimRequest,
  NewRun,
  NewWait,
  RunClaim,
  RunState,
  StepWrite,
  TaskEnd,
  WorkflowStepEntry,
  WorkflowWait,
} from "../core/workflow-model.ts";
import type { WorkflowStatus } from "../core/workflow-status.ts";
import type { Broker } from "./broker.ts";
import type { TaskError } from "./result-backend.ts";

export type { Continuation, ContinuationReason } from "../core/workflow-continuation.ts";
export type * from "../core/workflow-model.ts";

/**
 * `claimed`: the run is running, what was due is resolved, and the claim is the only one that may change it.
 * `stale`: the run has ended, is unknown, or goes on by a later continuation: there is nothing to do.
 * `busy`: somebody else holds it, or its continuation is not due yet. `cancelled`: it was, just now, by its policy.
 */
export type ClaimOutcome =
  | {
      readonly kind: "claimed";
      readonly claim: RunClaim;
      readonly run: RunState;
      /** In the order of their positions. */
      readonly steps: readonly WorkflowStepEntry[];
      /** What is still waited for; a retry also once it is due, until its step is saved. */
      readonly waits: readonly WorkflowWait[];
    }
  | { readonly kind: "stale" }
  | { readonly kind: "busy"; readonly until: Date }
  | { readonly kind: "cancelled"; readonly run: RunState };

/** An event and whom it woke. */
export interface EmitReceipt {
  /** `duplicate`: an event of this id was emitted before, so nothing was done. */
  readonly outcome: "emitted" | "duplicate";
  readonly resolutions: readonly WorkflowWatcherResolution[];
}

/** A run that waited for a topic, and goes on. */
export interface WorkflowWatcherResolution {
  readonly runId: string;
  readonly stepName: string;
  readonly topic: string;
}

/** A run that waits for a topic. */
export interface WorkflowWatcher {
  readonly runId: string;
  readonly stepName: string;
  readonly topic: string;
  readonly createdAt: Date;
  readonly deadline?: Date;
  readonly data: JsonObject;
}

export interface EmitOptions {
  /** Emitting the same id again on the topic, while the event is kept, does nothing. */
  readonly eventId?: string;
  /**
   * How long runs that exist already, and come to wait for the topic later, find the event.
   *
   * @defaultValue the store's `eventTtl`
   */
  readonly ttl?: Milliseconds;
}

export interface ListRunsRequest {
  readonly workflow?: string;
  readonly status?: WorkflowStatus;
  readonly parentRunId?: string;
  /** 0 gives an empty page. @defaultValue `50` */
  readonly limit?: number;
  /** @defaultValue `0` */
  readonly offset?: number;
}

export interface RunPage {
  readonly runs: readonly RunState[];
  /** Present exactly when more runs follow. */
  readonly nextOffset?: number;
}

/** What whoever saved a step has to know. */
export interface SaveReceipt {
  /** The run was asked to be cancelled after its compensations. */
  readonly cancelRequested: boolean;
}

/**
 * Runs of workflows, their checkpoints, and what they wait for.
 *
 * Every method is one transaction. Whatever makes a run go on stores its continuation in the same transaction: as a
 * message of the broker when the store shares its database (`dispatchTo`), else in an outbox that a runtime empties.
 * A method that takes a claim throws `RunLeaseLostError`, and changes nothing, when the claim is not the run's present
 * one or the run has ended. All instants are of the store's clock.
 */
export interface WorkflowStore {
  readonly namespace: string;

  /**
   * Continuations become messages of this broker in the transactions that make them. `false` when the two do not
   * share a database: then they wait in the outbox.
   */
  dispatchTo(broker: Broker): boolean;

  /** Stores a running run and its first continuation. Throws `DuplicateRunError` for an id that is taken. */
  createRun(run: NewRun): Promise<string>;
  get(runId: string): Promise<RunState | null>;
  /** In the order of their positions; empty for an unknown run. */
  listSteps(runId: string): Promise<readonly WorkflowStepEntry[]>;
  /** `undefined` when there is no such checkpoint: a stored null is a value. */
  readStep(runId: string, step: string): Promise<JsonValue | undefined>;
  /** Latest `updatedAt` first, then by id. */
  listRuns(request?: ListRunsRequest): Promise<RunPage>;
  /** Runs that nobody holds and whose continuation is due, earliest first. */
  listRunnableRuns(options?: Readonly<{ limit?: number; offset?: number }>): Promise<readonly string[]>;

  /**
   * Takes a run. Its waits that are over by now become checkpoints first, in the order of their ends. Of a run that
   * is suspended with nothing over, only a manual claim is granted. One that is held goes to its own holder again, and
   * to a greater fence.
   */
  claimRun(runId: string, request: ClaimRequest): Promise<ClaimOutcome>;
  /** The lease then ends `leaseDuration` from now. Returns when. */
  renewRunLease(claim: RunClaim, leaseDuration: Milliseconds): Promise<Date>;
  /** Gives the run back as it is, with a new continuation, `delay` from now. The claim is used up. */
  releaseRun(claim: RunClaim, options?: Readonly<{ delay?: Milliseconds; error?: TaskError }>): Promise<void>;
  /**
   * Stores a checkpoint, and renews the lease by `leaseDuration`. One that is there already keeps its position; a retry
   * of the same name is over. With `child`, that run is created in the same transaction, unless its id is there. Says
   * whether somebody asked meanwhile for the run to be cancelled after its compensations.
   */
  saveStep(
    claim: RunClaim,
    step: StepWrite,
    options: Readonly<{ leaseDuration: Milliseconds; child?: NewRun }>,
  ): Promise<SaveReceipt>;
  /**
   * Suspends the run until one of its waits is over: `waits` and those it had. A wait of a name that is stored already
   * leaves that as it is, except a retry, which is replaced. An event that was emitted since the run was created and that
   * the run has not had yet, a child that has ended, tasks that all have: these are found at once. Where a wait has its
   * checkpoint already, and where nothing is waited for, there is nothing to wait for. The claim is used up.
   *
   * Events of a topic come to a run in their order, each once; one event ends all its waits for that topic.
   */
  suspend(claim: RunClaim, waits: readonly NewWait[]): Promise<void>;
  /** Ends the run; `step` is stored before. Whoever waits for it as a child goes on. */
  markCompleted(claim: RunClaim, result: JsonValue, step?: StepWrite): Promise<void>;
  /**
   * Ends the run as failed or, when it was asked to be, cancelled: then its children that end with it are asked too.
   * Whoever waits for it as a child goes on.
   */
  markFailed(claim: RunClaim, error: TaskError): Promise<void>;

  /**
   * Ends the run at once, and its children that end with it: whoever holds it loses it. With `compensate` they are asked
   * to end: their steps fail with `WorkflowCancelledError`, and their compensations run before they end. A run that
   * nobody holds goes on for that at once, and waits for nothing any more; whoever holds one keeps it, is told when it
   * saves a step, and cannot suspend it. `false` when it has ended already or is unknown.
   */
  cancel(runId: string, options?: Readonly<{ reason?: string; compensate?: boolean }>): Promise<boolean>;
  /**
   * Deletes the checkpoints of this step, those inside of it included, and all after them, and has the run go on, also one that has ended; whoever
   * holds it loses it, and it waits for nothing any more. `false` when there is no such checkpoint. Names a step by its
   * base name, or one iteration of it. Events that the run has had do not come again.
   */
  rewindToStep(runId: string, step: string): Promise<boolean>;
  /**
   * Has a failed or cancelled run go on from its checkpoints. Those of the failure and of compensations are deleted, and
   * that of the step it failed by, which `lastError.meta.failedStep` names, with those inside of it: it is tried again. Where
   * steps were undone, all from the first of them on are deleted, and the run counts as rewound. `false` for any other run.
   */
  resumeRun(runId: string): Promise<boolean>;

  /**
   * Wakes every run that waits for the topic, once for each wait, and keeps the event for runs that will. A deadline
   * that has passed wins over an event that comes after it.
   */
  emit(topic: string, payload: JsonValue, options?: EmitOptions): Promise<EmitReceipt>;
  /** Earliest first. */
  listWatchers(
    topic: string,
    options?: Readonly<{ limit?: number; offset?: number }>,
  ): Promise<readonly WorkflowWatcher[]>;
  /** Earliest first. */
  runsWaitingOn(topic: string, options?: Readonly<{ limit?: number }>): Promise<readonly string[]>;
  /**
   * Records how a task ended, once, also before the run waits for it; the last one that a wait expects ends the wait.
   * Ignored when the run is unknown or has ended, and when the step has its checkpoint.
   */
  recordTaskEnd(end: TaskEnd): Promise<void>;

  /**
   * Gives new continuations to runs whose present one has been due for `grace` while nobody holds them: their messages
   * were lost. Those whose message is known to wait, in the outbox or in the broker of `dispatchTo`, are left alone. One
   * that comes to nothing `maxRecoveries` times in a row, with no step saved and no suspension in between, fails. Returns
   * the ids of those that go on.
   */
  recoverRuns(
    options: Readonly<{ grace: Milliseconds; maxRecoveries: number; limit: number }>,
  ): Promise<readonly string[]>;
  /** Continuations that wait to be published, oldest first; for a store that shares no database with its broker. */
  pendingContinuations(limit: number): Promise<readonly Continuation[]>;
  /** Takes continuations that have been published out of the outbox. */
  confirmContinuations(continuations: readonly Continuation[]): Promise<void>;
  /** Deletes ended runs past their time to live, and events past theirs, of the namespace. Returns how many runs. */
  prune(): Promise<number>;

  /** The present state, when there is one, then each change but renewals, in order; ends when the run has ended. */
  watch(runId: string): AsyncIterableIterator<RunState>;
  /** Idempotent. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
