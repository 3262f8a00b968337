import type { Milliseconds } from "../core/duration.ts";
import type { JsonObject, JsonValue } from "../core/json.ts";
import type { TaskRetryPolicy } from "../core/retry-policy.ts";
import type { TaskOptions } from "../core/task-options.ts";

/** Per-enqueue settings; each wins over the task's own options. */
export interface TaskEnqueueOptions {
  /** Id of the new task. @defaultValue a new UUID version 7 */
  readonly taskId?: string;
  /** Earliest start, from now. */
  readonly countdown?: Milliseconds;
  /** Earliest start; wins over `countdown` and `notBefore`. */
  readonly eta?: Date;
  /** Not started any more from this instant, or this long from now, on: the task is then cancelled. */
  readonly expires?: Date | Milliseconds;
  readonly queue?: string;
  readonly priority?: number;
  readonly timeLimit?: Milliseconds;
  readonly softTimeLimit?: Milliseconds;
  /** The result is stored as null. @defaultValue `false` */
  readonly ignoreResult?: boolean;
  /** From a running task: record it as the parent. @defaultValue `true` */
  readonly addToParent?: boolean;
  /** Stored with the task, for all its attempts. Also the delays of `retry`, when that is set. */
  readonly retryPolicy?: TaskRetryPolicy;
  /**
   * A publish that fails in a way that may pass is tried again under the same id, at most `retryPolicy.maxRetries`
   * times, 3 without it, after the policy's delays; without a policy they are 100 ms, doubled up to 5 s, with jitter.
   * When any try had an unknown outcome, so has the error.
   *
   * @defaultValue `false`
   */
  readonly retry?: boolean;
  /**
   * When the id belongs to another message: `"reject"` throws `DuplicateIdConflictError`; `"replace-pending"` takes its
   * place, unless a consumer holds it. The status stays the one of the first until a worker writes.
   *
   * @defaultValue `"reject"`
   */
  readonly onConflict?: "reject" | "replace-pending";
  /** Published when the task has succeeded, each once, with ids that are fixed here. Nested at most 5 deep. */
  readonly link?: readonly LinkedCall[];
  /** Published when the task has failed for good, in the same way. */
  readonly linkError?: readonly LinkedCall[];
  /** Kept in the meta, and in the route of a single publish. Queues have no exchanges: data only. */
  readonly exchange?: string;
  /** Kept in the meta, and in the route of a single publish. Queues ignore it: data only. */
  readonly routingKey?: string;
  /** Carried to the worker under `stem.serializer`; without effect. */
  readonly serializer?: string;
  /** Carried to the worker under `stem.compression`; without effect. */
  readonly compression?: string;
  /** A name to show instead of the task's. Carried to the worker under `stem.shadow`; without effect. */
  readonly shadow?: string;
  /** Carried to the worker under `stem.replyTo`; without effect. */
  readonly replyTo?: string;
  /** Carried to the worker under `stem.publishConnection`; without effect. */
  readonly publishConnection?: JsonValue;
  /** Carried to the worker under `stem.producer`; without effect. */
  readonly producer?: JsonValue;
}

/** Everything an enqueue may say beside the task's name. */
export interface EnqueueOptions {
  /** @defaultValue `{}` */
  readonly args?: JsonObject;
  readonly headers?: Readonly<Record<string, string>>;
  readonly meta?: JsonObject;
  readonly options?: TaskOptions;
  readonly notBefore?: Date;
  readonly enqueueOptions?: TaskEnqueueOptions;
}

/** One task of a bulk enqueue. */
export interface EnqueueRequest extends EnqueueOptions {
  readonly name: string;
}

/**
 * A task that follows another one. Its name needs a handler on the worker only, whose options then are the defaults;
 * `countdown` counts from the end of the task it follows, and `onConflict` is left out.
 */
export type LinkedCall = EnqueueRequest;

/** Whatever tasks can be enqueued through: a `Stem`, or the context of a running task. */
export interface TaskEnqueuer {
  /** Resolves to the id once the message is stored. */
  enqueue(name: string, options?: EnqueueOptions): Promise<string>;
}
