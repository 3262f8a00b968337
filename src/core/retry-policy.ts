import { InvalidOptionError } from "../errors.ts";
import { checkDuration, MAX_DURATION_MS, type Milliseconds } from "./duration.ts";
import type { JsonObject } from "./json.ts";
import { checkBoolean, checkInteger, mergeOptions } from "./options.ts";

/** Most retries one task may be given. */
export const MAX_RETRIES = 1_000_000;

/** When and how often a failed task runs again. Stem's names; durations in milliseconds. */
export interface TaskRetryPolicy {
  /**
   * Doubles `defaultDelay` with each attempt.
   *
   * @defaultValue `false`
   */
  readonly backoff?: boolean;
  /** Longest delay that `backoff` may reach. Without it, doubling has no limit of its own. */
  readonly backoffMax?: Milliseconds;
  /**
   * Takes a random part, up to a quarter, off a backoff delay so that many failures do not return at once.
   *
   * @defaultValue `true`
   */
  readonly jitter?: boolean;
  /**
   * Delay before a retry; the first one when `backoff` is on.
   *
   * @defaultValue `0`
   */
  readonly defaultDelay?: Milliseconds;
  /** Overrides the task's own `maxRetries`. */
  readonly maxRetries?: number;
  /** Names of error types that are retried; empty means all. */
  readonly autoRetryFor?: readonly string[];
  /** Names of error types that are never retried; wins over `autoRetryFor`. */
  readonly dontAutoRetryFor?: readonly string[];
}

/** A {@link TaskRetryPolicy} with every default filled in. */
export interface ResolvedRetryPolicy {
  readonly backoff: boolean;
  readonly backoffMax: Milliseconds | undefined;
  readonly jitter: boolean;
  readonly defaultDelay: Milliseconds;
  readonly maxRetries: number | undefined;
  readonly autoRetryFor: readonly string[];
  readonly dontAutoRetryFor: readonly string[];
}

const DEFAULTS: ResolvedRetryPolicy = {
  backoff: false,
  backoffMax: undefined,
  jitter: true,
  defaultDelay: 0,
  maxRetries: undefined,
  autoRetryFor: [],
  dontAutoRetryFor: [],
};

/** Fills in defaults and checks every field; throws `InvalidOptionError` with the path of the bad one. */
export function resolveRetryPolicy(policy: TaskRetryPolicy, path = "retryPolicy"): ResolvedRetryPolicy {
  const merged = mergeOptions(DEFAULTS, policy as Partial<ResolvedRetryPolicy>, path);
  checkBoolean(`${path}.backoff`, merged.backoff);
  checkBoolean(`${path}.jitter`, merged.jitter);
  checkDuration(`${path}.defaultDelay`, merged.defaultDelay);
  if (merged.backoffMax !== undefined) checkDuration(`${path}.backoffMax`, merged.backoffMax);
  if (merged.maxRetries !== undefined) {
    checkInteger(`${path}.maxRetries`, merged.maxRetries, { min: 0, max: MAX_RETRIES });
  }
  const autoRetryFor = typeNames(`${path}.autoRetryFor`, merged.autoRetryFor);
  const dontAutoRetryFor = typeNames(`${path}.dontAutoRetryFor`, merged.dontAutoRetryFor);
  return Object.freeze({ ...merged, autoRetryFor, dontAutoRetryFor });
}

/** A copy: a policy does not follow what its maker does to the list afterwards. */
function typeNames(option: string, names: unknown): readonly string[] {
  const list: readonly unknown[] | undefined = Array.isArray(names) ? Array.from(names) : undefined;
  if (list === undefined || list.some((name) => typeof name !== "string")) {
    throw new InvalidOptionError(option, names, "an array of error type names");
  }
  return list as readonly string[];
}

/** JSON form of a policy, as stored under the meta key `stem.retryPolicy`. */
export function retryPolicyToJson(policy: ResolvedRetryPolicy): JsonObject {
  return {
    backoff: policy.backoff,
    jitter: policy.jitter,
    defaultDelayMs: policy.defaultDelay,
    ...(policy.backoffMax === undefined ? {} : { backoffMaxMs: policy.backoffMax }),
    ...(policy.maxRetries === undefined ? {} : { maxRetries: policy.maxRetries }),
    autoRetryFor: policy.autoRetryFor,
    dontAutoRetryFor: policy.dontAutoRetryFor,
  };
}

/** Reads what {@link retryPolicyToJson} wrote; throws `InvalidOptionError` for anything else. */
export function retryPolicyFromJson(json: JsonObject): ResolvedRetryPolicy {
  if (json === null || typeof json !== "object" || Array.isArray(json)) {
    throw new InvalidOptionError("retryPolicy", json, "an object");
  }
  const { backoffMaxMs, defaultDelayMs, ...rest } = json as Record<string, unknown>;
  return resolveRetryPolicy({ ...rest, backoffMax: backoffMaxMs, defaultDelay: defaultDelayMs } as TaskRetryPolicy);
}

/** Delay before the retry that follows zero-based `attempt`; `random` is uniform in `[0, 1)`. */
export function retryDelay(policy: ResolvedRetryPolicy, attempt: number, random: () => number): Milliseconds {
  if (!policy.backoff) return policy.defaultDelay;
  const raw = doubled(policy.defaultDelay, attempt);
  const limit = policy.backoffMax ?? MAX_DURATION_MS;
  const cap = raw === 0 ? (policy.backoffMax ?? 0) : Math.min(raw, limit);
  return policy.jitter ? cap - Math.floor(random() * (Math.floor(cap / 4) + 1)) : cap;
}

/** `delay` doubled `times` times; 0 stays 0, also where the factor is too large for a number. */
export function doubled(delay: Milliseconds, times: number): Milliseconds {
  return delay === 0 ? 0 : delay * 2 ** times;
}

/** Whether `policy` lets an error of this type be retried; `attempt` counts the retries so far. */
export function mayRetry(
  policy: ResolvedRetryPolicy | undefined,
  errorType: string,
  attempt: number,
  maxRetries: number,
): boolean {
  if (attempt >= (policy?.maxRetries ?? maxRetries)) return false;
  if (policy === undefined) return true;
  if (policy.dontAutoRetryFor.includes(errorType)) return false;
  return policy.autoRetryFor.length === 0 || policy.autoRetryFor.includes(errorType);
}
