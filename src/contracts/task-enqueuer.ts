import type { Milliseconds } from "../core/duration.ts";
import type { JsonObject } from "../core/json.ts";
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
  readonly retryPolicy?: TaskRetryPolicy;
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

/** Whatever tasks can be enqueued through: a `Stem`, or the context of a running task. */
export interface TaskEnqueuer {
  /** Resolves to the id once the message is stored. */
  enqueue(name: string, options?: EnqueueOptions): Promise<string>;
}
