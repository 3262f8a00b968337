import type { Milliseconds } from "../core/duration.ts";
import type { JsonObject } from "../core/json.ts";
import type { TaskOptions } from "../core/task-options.ts";
import type { TaskRetryPolicy } from "../core/retry-policy.ts";
import type { EnqueueOptions } from "./task-enqueuer.ts";

/** Overrides for one explicit retry; `eta` wins over `countdown`, both over the policy's delay. */
export interface RetryRequest {
  readonly countdown?: Milliseconds;
  readonly eta?: Date;
  readonly maxRetries?: number;
  readonly retryPolicy?: TaskRetryPolicy;
  readonly timeLimit?: Milliseconds;
  readonly softTimeLimit?: Milliseconds;
}

/** What a running handler sees of its task. */
export interface TaskContext {
  readonly id: string;
  readonly name: string;
  readonly queue: string;
  /** Number of retries so far. */
  readonly attempt: number;
  /** How often this attempt was delivered; above 1 after a crash or a lost lease. */
  readonly deliveries: number;
  /**
   * Fencing token of this delivery, greater than that of every delivery before it: what it is handed to can refuse an
   * older one. 0 for a broadcast.
   */
  readonly fence: number;
  readonly args: JsonObject;
  readonly headers: Readonly<Record<string, string>>;
  readonly meta: JsonObject;
  /**
   * Fires when the work should stop: lease lost, revoked with `terminate`, soft or hard time limit, or a worker
   * shutting down. `signal.reason` is the typed error.
   */
  readonly signal: AbortSignal;

  /** Tells that the task is alive. Like every checkpoint, throws when the task was revoked or its lease is lost. */
  heartbeat(): void;
  /** Prolongs the lease to `by` from now. A checkpoint. */
  extendLease(by: Milliseconds): Promise<void>;
  /** Emits a progress event; `fraction` is from 0 to 1. A checkpoint. */
  progress(fraction: number, data?: JsonObject): void;
  /** Ends this run and has the task run again; never returns. Fails the task when no retry is left. */
  retry(request?: RetryRequest): never;
  /** Enqueues another task with this one as its parent. Resolves to its id. */
  enqueue(name: string, options?: EnqueueOptions): Promise<string>;
  /** The same as {@link TaskContext.enqueue}. */
  spawn(name: string, options?: EnqueueOptions): Promise<string>;
}

/** The function behind a task. What it returns is stored as the task's result; nothing returned is stored as null. */
export type TaskFunction<Args extends object = JsonObject, Result = unknown> = (
  context: TaskContext,
  args: Args,
) => Promise<Result> | Result;

/** Where the function of a task is found by a thread that runs it. */
export interface IsolatedFunction {
  /** The module's absolute URL. */
  readonly module: string;
  readonly exportName: string;
  /** Most memory the thread's heap may take, in MiB; the platform's own limit when absent. */
  readonly maxMemoryMb?: number;
}

/** A named function with its options; `defineTask` and `defineIsolatedTask` make one. */
export interface TaskHandler<Args extends object = JsonObject, Result = unknown> {
  readonly name: string;
  readonly options: TaskOptions;
  /** Runs the function in the caller's own thread. */
  readonly run: TaskFunction<Args, Result>;
  /** Its runs leave no status in the backend: for handlers that keep records of their own. @defaultValue `false` */
  readonly untracked?: boolean;
  /** Present when workers run the function in a thread of its own, instead of calling `run`. */
  readonly isolated?: IsolatedFunction;
}

/** A handler of whatever arguments: the type of lists of handlers. */
export type AnyTaskHandler = TaskHandler<never>;
