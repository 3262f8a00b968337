import type { Milliseconds } from "../core/duration.ts";
import type { JsonObject, JsonValue } from "../core/json.ts";
import type { TaskState } from "../core/task-state.ts";

/** A failure as it is stored: the error's class name, message and stack, cut to bounded lengths. */
export interface TaskError {
  readonly type: string;
  readonly message: string;
  readonly stack?: string;
  readonly retryable: boolean;
  readonly meta: JsonObject;
}

export interface TaskStatus {
  readonly id: string;
  readonly state: TaskState;
  readonly attempt: number;
  readonly payload?: JsonValue;
  readonly error?: TaskError;
  readonly meta: JsonObject;
}

export interface TaskStatusRecord {
  readonly status: TaskStatus;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface SetStatusOptions {
  readonly payload?: JsonValue;
  readonly error?: TaskError;
  /** @defaultValue `0` */
  readonly attempt?: number;
  /** @defaultValue `{}` */
  readonly meta?: JsonObject;
  /** @defaultValue the backend's `defaultTtl` */
  readonly ttl?: Milliseconds;
  /** Token of the delivery that writes; an older one than the stored changes nothing. */
  readonly fence?: number;
}

/** One status write as a value. */
export interface StatusWrite extends SetStatusOptions {
  readonly taskId: string;
  readonly state: TaskState;
}

export interface TaskStatusListRequest {
  readonly state?: TaskState;
  /** Compared with `meta.queue`. */
  readonly queue?: string;
  /** Every entry must equal the stored one; `null` asks only that the key is there. */
  readonly meta?: JsonObject;
  /** 0 gives an empty page. @defaultValue `50` */
  readonly limit?: number;
  /** @defaultValue `0` */
  readonly offset?: number;
}

export interface TaskStatusPage {
  readonly items: readonly TaskStatusRecord[];
  /** Present exactly when more items follow. */
  readonly nextOffset?: number;
}

export interface GroupDescriptor {
  readonly id: string;
  readonly expected: number;
  /** @defaultValue `{}` */
  readonly meta?: JsonObject;
  /** @defaultValue the backend's `groupDefaultTtl` */
  readonly ttl?: Milliseconds;
}

export interface GroupStatus {
  readonly id: string;
  readonly expected: number;
  /** Member results by task id. */
  readonly results: ReadonlyMap<string, TaskStatus>;
  readonly meta: JsonObject;
  readonly completed: number;
  readonly isComplete: boolean;
}

export interface QueueHeartbeat {
  readonly name: string;
  readonly inflight: number;
}

export interface WorkerHeartbeat {
  readonly workerId: string;
  readonly namespace: string;
  readonly timestamp: Date;
  readonly isolateCount: number;
  readonly inflight: number;
  readonly queues: readonly QueueHeartbeat[];
  readonly lastLeaseRenewal?: Date;
  readonly version: string;
  readonly extras: JsonObject;
}

/**
 * Statuses, groups and heartbeats, each with a time to live. What has expired is gone for every read, also before
 * it is swept. Which status may replace which is `mayReplace` of core/task-state.ts.
 */
export interface ResultBackend {
  readonly namespace: string;

  /** Replaces the whole record and restarts its time to live. Resolves to `false` when the stored status stands. */
  set(taskId: string, state: TaskState, options?: SetStatusOptions): Promise<boolean>;
  get(taskId: string): Promise<TaskStatus | null>;
  /**
   * The present status, when there is one, then each change in order; ends after a terminal state. Ending the
   * iteration releases the watch.
   */
  watch(taskId: string): AsyncIterableIterator<TaskStatus>;
  /** Latest `updatedAt` first, then by id. */
  listTaskStatuses(request?: TaskStatusListRequest): Promise<TaskStatusPage>;
  /** Ends the time to live `ttl` from now. An unknown id does nothing. */
  expire(taskId: string, ttl: Milliseconds): Promise<void>;

  setWorkerHeartbeat(heartbeat: WorkerHeartbeat): Promise<void>;
  getWorkerHeartbeat(workerId: string): Promise<WorkerHeartbeat | null>;
  /** Sorted by worker id. */
  listWorkerHeartbeats(): Promise<readonly WorkerHeartbeat[]>;
  /** Removes a worker's heartbeat, as a worker does when it stops. */
  removeWorkerHeartbeat(workerId: string): Promise<void>;

  /** Creates a group, or starts it anew: earlier member results are dropped. */
  initGroup(group: GroupDescriptor): Promise<void>;
  /** Adds or replaces a member result; `null` when the group is unknown or expired. */
  addGroupResult(groupId: string, status: TaskStatus): Promise<GroupStatus | null>;
  getGroup(groupId: string): Promise<GroupStatus | null>;
  /** `true` for exactly one caller per group, whose ids are kept in the group's meta; `false` also without group. */
  claimChord(groupId: string, options?: Readonly<{ callbackTaskId?: string; dispatchedAt?: Date }>): Promise<boolean>;

  /** Ends watches and releases what `open` took. Idempotent. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
