import { checkDuration, type Milliseconds } from "./duration.ts";
import { PRIORITY_BOUNDS } from "./envelope.ts";
import { checkName } from "./names.ts";
import { checkInteger, mergeOptions } from "./options.ts";
import { MAX_RETRIES, resolveRetryPolicy, type ResolvedRetryPolicy, type TaskRetryPolicy } from "./retry-policy.ts";

/** How a task is queued and run, unless one enqueue says otherwise. Stem's names; durations in milliseconds. */
export interface TaskOptions {
  /** @defaultValue `"default"` */
  readonly queue?: string;
  /**
   * Retries after the first run, so that a task runs at most `maxRetries + 1` times.
   *
   * @defaultValue `0`
   */
  readonly maxRetries?: number;
  /** When passed, the handler's abort signal fires and a `timeout` event is emitted; the task goes on. */
  readonly softTimeLimit?: Milliseconds;
  /** When passed, the attempt fails with `TimeoutError`, is aborted, and whatever it still returns is discarded. */
  readonly hardTimeLimit?: Milliseconds;
  /**
   * Higher runs first.
   *
   * @defaultValue `0`
   */
  readonly priority?: number;
  /** Lease of each delivery; the broker's `defaultVisibilityTimeout` when absent. */
  readonly visibilityTimeout?: Milliseconds;
  /** Delay between retries; the worker's retry strategy when absent. */
  readonly retryPolicy?: TaskRetryPolicy;
}

/** {@link TaskOptions} with defaults filled in. */
export interface ResolvedTaskOptions {
  readonly queue: string;
  readonly maxRetries: number;
  readonly softTimeLimit: Milliseconds | undefined;
  readonly hardTimeLimit: Milliseconds | undefined;
  readonly priority: number;
  readonly visibilityTimeout: Milliseconds | undefined;
  readonly retryPolicy: ResolvedRetryPolicy | undefined;
}

const DEFAULTS: Omit<ResolvedTaskOptions, "retryPolicy"> & { readonly retryPolicy: TaskRetryPolicy | undefined } = {
  queue: "default",
  maxRetries: 0,
  softTimeLimit: undefined,
  hardTimeLimit: undefined,
  priority: 0,
  visibilityTimeout: undefined,
  retryPolicy: undefined,
};

/**
 * Lays a call's options over the handler's, field by field, and checks the result. A field given on the call wins
 * even when it equals the default. `path` goes before names in errors.
 */
export function resolveTaskOptions(
  handler: TaskOptions = {},
  call: TaskOptions = {},
  path: string = "",
): ResolvedTaskOptions {
  const merged = mergeOptions({ ...mergeOptions(DEFAULTS, handler as typeof DEFAULTS) }, call as typeof DEFAULTS, path);
  const at = path === "" ? "" : `${path}.`;
  checkName(`${at}queue`, merged.queue);
  checkInteger(`${at}maxRetries`, merged.maxRetries, { min: 0, max: MAX_RETRIES });
  checkInteger(`${at}priority`, merged.priority, PRIORITY_BOUNDS);
  for (const name of ["softTimeLimit", "hardTimeLimit", "visibilityTimeout"] as const) {
    if (merged[name] !== undefined) checkDuration(`${at}${name}`, merged[name], { min: 1 });
  }
  const { retryPolicy: policy } = merged;
  const retryPolicy = policy === undefined ? undefined : resolveRetryPolicy(policy, `${at}retryPolicy`);
  return Object.freeze({ ...merged, retryPolicy });
}
