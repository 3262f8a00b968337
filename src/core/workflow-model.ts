import type { Milliseconds } from "./duration.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import type { StorableError as TaskError } from "./task-error.ts";
import type { WorkflowStatus } from "./workflow-status.ts";

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

/** How one of the tasks that a wait counts has ended. */
export type CountedTaskEnd = Readonly<{ value: JsonValue; error?: TaskError }>;

/**
 * How a wait has ended: the value of the checkpoint that it becomes, with the wait's own `data`. A retry becomes none.
 * `deadline`: `resumeAt` came first. Of tasks, `ends` are in the order of their indices.
 */
export type WaitEnd = Readonly<{ data?: JsonObject }> &
  (
    | Readonly<{ outcome: "due" }>
    | Readonly<{ outcome: "deadline" }>
    | Readonly<{ outcome: "event"; payload: JsonValue }>
    | Readonly<{ outcome: "child"; status: WorkflowStatus; result?: JsonValue; error?: TaskError }>
    | Readonly<{ outcome: "tasks"; ends: readonly CountedTaskEnd[] }>
  );

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
  /** Of a run that failed, also in its compensations, and of one that is being tried again. Gone once a step was saved. */
  readonly lastError?: TaskError;
  /**
   * What it waits for, earliest `resumeAt` first, those without one last. Empty unless it is suspended, which it is
   * until it is claimed; what an event, a child or its tasks have ended is not waited for any more.
   */
  readonly waits: readonly WorkflowWait[];
  readonly parentRunId?: string;
  readonly cancellationPolicy?: WorkflowCancellationPolicy;
  /** `reason` and `cancelledAt`; of a policy also `policy`, `elapsedMs` and `limitMs`. */
  readonly cancellationData?: JsonObject;
  /** Set once somebody asked for the run to be cancelled after its compensations have run. */
  readonly cancelRequested?: boolean;
  /** How often it was rewound: what it does after that is not what it did before. */
  readonly rewinds: number;
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

/** How a task that a run waits for has ended. */
export interface TaskEnd {
  readonly runId: string;
  /** The wait it belongs to, and its place there. */
  readonly step: string;
  readonly index: number;
  readonly value: JsonValue;
  readonly error?: TaskError;
}
