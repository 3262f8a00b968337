import type { Milliseconds } from "../core/duration.ts";
import type { JsonObject, JsonValue } from "../core/json.ts";
import type { Continuation } from "../core/workflow-continuation.ts";
import type { WorkflowStatus } from "../core/workflow-status.ts";
import type { Broker } from "./broker.ts";
import type { TaskError } from "./result-backend.ts";

export type { Continuation, ContinuationReason } from "../core/workflow-continuation.ts";

/** Limits after which a run is cancelled by itself. */
export interface WorkflowCancellationPolicy {
  /** From the creation of the run. */
  readonly maxRunDuration?: Milliseconds;
  /** From each time it is suspended. */
  readonly maxSuspendDuration?: Milliseconds;
}

/** Where the messages of a run go. Kept with the run, whatever a later runtime is set to. */
export interface WorkflowQueues {
  /** The first message of the run. */
  readonly orchestrationQueue: string;
  /** Its later ones. */
  readonly continuationQueue: string;
  /** Tasks that its steps enqueue without naming a queue. */
  readonly executionQueue: string;
}

/** A run to be created. */
export interface NewRun {
  readonly runId: string;
  readonly workflow: string;
  /** Version of the definition that the run follows until its end. */
  readonly version: number;
  readonly params: JsonObject;
  readonly queues: WorkflowQueues;
  /** Kept with the run, apart from its parameters. @defaultValue `{}` */
  readonly metadata?: JsonObject;
  readonly parentRunId?: string;
  /** Cancelled with its parent. @defaultValue `false` */
  readonly endsWithParent?: boolean;
  /** How long the run is kept after its end. @defaultValue the store's `defaultRunTtl` */
  readonly ttl?: Milliseconds;
  readonly cancellationPolicy?: WorkflowCancellationPolicy;
}

/** What one wait of a run is for. */
export type WaitKind = "sleep" | "event" | "child" | "tasks" | "retry";

/** Something a suspended run waits for. */
export interface WorkflowWait {
  /** The checkpoint that its end will be: unique in the run. */
  readonly step: string;
  readonly kind: WaitKind;
  /** Of an event: the topic. Of a child: its run id. */
  readonly topic?: string;
  /** Of a sleep or a retry: its end. Of anything else: when waiting is given up. */
  readonly resumeAt?: Date;
  /** Of tasks: how many have to end. */
  readonly expected?: number;
  /** Of a retry: failed attempts so far, and how the last one failed. */
  readonly attempts?: number;
  readonly error?: TaskError;
  /** Shown with the wait; kept with the checkpoint. */
  readonly data?: JsonObject;
  readonly createdAt: Date;
}

export type NewWait = Omit<WorkflowWait, "createdAt">;

/** A run as it is stored. */
export interface RunState {
  readonly runId: string;
  readonly workflow: string;
  readonly version: number;
  readonly status: WorkflowStatus;
  /** Number of different steps that have a checkpoint; the iterations of one step count once. */
  readonly cursor: number;
  readonly params: JsonObject;
  readonly metadata: JsonObject;
  readonly queues: WorkflowQueues;
  /** Of a completed run. */
  readonly result?: JsonValue;
  /** Of a failed run, and of one that is being tried again. Gone once a step was saved. */
  readonly lastError?: TaskError;
  /** What it waits for, earliest `resumeAt` first, those without one last. Empty unless it is suspended. */
  readonly waits: readonly WorkflowWait[];
  readonly parentRunId?: string;
  readonly cancellationPolicy?: WorkflowCancellationPolicy;
  /** `reason` and `cancelledAt`; of a policy also `policy`, `elapsedMs` and `limitMs`. */
  readonly cancellationData?: JsonObject;
  /** Set once somebody asked for the run to be cancelled after its compensations have run. */
  readonly cancelRequested?: boolean;
  /** Number of the continuation that counts. */
  readonly continuation: number;
  /** When that is due; absent when none is under way, because only an event can wake the run. */
  readonly continuationAt?: Date;
  readonly ownerId?: string;
  readonly leaseExpiresAt?: Date;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly suspendedAt?: Date;
  readonly endedAt?: Date;
}

/** What kind of thing a checkpoint records. */
export type CheckpointKind =
  | "step"
  | "sleep"
  | "event"
  | "child"
  | "tasks"
  | "task"
  | "patch"
  | "compensation"
  | "failure";

/** What one step of a run has come to. A stored null is a result like any other. */
export interface WorkflowStepEntry {
  /** The step's name, with `#` and the iteration where it has several: `repeat#2`. */
  readonly name: string;
  readonly baseName: string;
  readonly iteration?: number;
  /** Index in the order in which the run's checkpoints were first stored. */
  readonly position: number;
  readonly kind: CheckpointKind;
  /** Null where it failed. */
  readonly value: JsonValue;
  /** Set when it failed for good. */
  readonly error?: TaskError;
  /** How often it was tried. */
  readonly attempts: number;
  readonly startedAt: Date;
  readonly endedAt: Date;
}

/** A checkpoint to be stored. */
export interface StepWrite {
  readonly name: string;
  readonly baseName: string;
  readonly iteration?: number;
  readonly kind: CheckpointKind;
  readonly value: JsonValue;
  readonly error?: TaskError;
  readonly attempts: number;
  readonly startedAt: Date;
}

/** The right to change a run, from `claimRun` until it is used up, given back, lapses, or is taken over. */
export interface RunClaim {
  readonly runId: string;
  readonly ownerId: string;
  /** Fencing token: greater than that of every earlier claim of the run. */
  readonly token: number;
}

export interface ClaimRequest {
  readonly ownerId: string;
  readonly leaseDuration: Milliseconds;
  /** The continuation that the claim is for. Without it the claim is for whatever the run is at, such as a manual one. */
  readonly continuation?: number;
  /**
   * Fencing token of the delivery that brought the continuation. A claim under a lesser one gives way: the broker has
   * ended that delivery.
   */
  readonly fence?: number;
}

/**
 * `claimed`: the run is running, what was due is resolved, and the claim is the only one that may change it.
 * `stale`: the run has ended, is unknown, or goes on by a later continuation: there is nothing to do.
 * `busy`: somebody else holds it. `cancelled`: it was, just now, by its policy.
 */
export type ClaimOutcome =
  | {
      readonly kind: "claimed";
      readonly claim: RunClaim;
      readonly run: RunState;
      /** In the order of their positions. */
      readonly steps: readonly WorkflowStepEntry[];
      /** What is still waited for. */
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

/** How a task that a run waits for has ended. */
export interface TaskEnd {
  readonly runId: string;
  /** The wait it belongs to, and its place there. */
  readonly step: string;
  readonly index: number;
  readonly value: JsonValue;
  readonly error?: TaskError;
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
   * is suspended with nothing over, only a manual claim is granted.
   */
  claimRun(runId: string, request: ClaimRequest): Promise<ClaimOutcome>;
  /** The lease then ends `leaseDuration` from now. Returns when. */
  renewRunLease(claim: RunClaim, leaseDuration: Milliseconds): Promise<Date>;
  /** Gives the run back as it is, with a new continuation, `delay` from now. The claim is used up. */
  releaseRun(claim: RunClaim, options?: Readonly<{ delay?: Milliseconds; error?: TaskError }>): Promise<void>;
  /**
   * Stores a checkpoint, and renews the lease by `leaseDuration`. One that is there already keeps its position; a retry
   * of the same name is over. With `child`, that run is created in the same transaction, unless its id is there.
   */
  saveStep(
    claim: RunClaim,
    step: StepWrite,
    options: Readonly<{ leaseDuration: Milliseconds; child?: NewRun }>,
  ): Promise<void>;
  /**
   * Suspends the run until one of its waits is over: `waits` and those it had. A wait of a name that is stored already
   * leaves that as it is, except a retry, which is replaced. An event that was emitted since the run was created and that
   * the run has not had yet, a child that has ended, tasks that all have: these are found at once. The claim is used up.
   */
  suspend(claim: RunClaim, waits: readonly NewWait[]): Promise<void>;
  /** Ends the run; `step` is stored before. Whoever waits for it as a child goes on. */
  markCompleted(claim: RunClaim, result: JsonValue, step?: StepWrite): Promise<void>;
  /** Ends the run as failed or, when it was asked to be, cancelled. Whoever waits for it as a child goes on. */
  markFailed(claim: RunClaim, error: TaskError): Promise<void>;

  /**
   * Ends the run at once, and its children that end with it. With `compensate` it is asked to: its steps fail with
   * `WorkflowCancelledError`, and its compensations run before it ends. `false` when it has ended already or is unknown.
   */
  cancel(runId: string, options?: Readonly<{ reason?: string; compensate?: boolean }>): Promise<boolean>;
  /**
   * Deletes the checkpoints of this step and all after them, and has the run go on, also one that has ended; whoever
   * holds it loses it. `false` when there is no such step. Names a step by its base name, or one iteration of it.
   */
  rewindToStep(runId: string, step: string): Promise<boolean>;
  /** Has a failed or cancelled run go on from its checkpoints; steps that failed for good are tried again. */
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
  /** Records how a task ended, once; the last one that a wait expects ends the wait. Unknown waits are ignored. */
  recordTaskEnd(end: TaskEnd): Promise<void>;

  /**
   * Gives new continuations to runs whose present one has been due for `grace` while nobody holds them: their messages
   * were lost. One that comes to nothing `maxRecoveries` times in a row, with no step saved in between, fails. Returns
   * the ids.
   */
  recoverRuns(
    options: Readonly<{ grace: Milliseconds; maxRecoveries: number; limit: number }>,
  ): Promise<readonly string[]>;
  /** Continuations that wait to be published, oldest first; for a store that shares no database with its broker. */
  pendingContinuations(limit: number): Promise<readonly Continuation[]>;
  /** Takes continuations that have been published out of the outbox. */
  confirmContinuations(continuations: readonly Continuation[]): Promise<void>;
  /** Deletes ended runs past their time to live, and events past theirs. Returns how many runs. */
  prune(): Promise<number>;

  /** The present state, when there is one, then each change in order; ends when the run has ended. */
  watch(runId: string): AsyncIterableIterator<RunState>;
  /** Idempotent. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
