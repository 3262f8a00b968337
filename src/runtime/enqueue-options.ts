import type { TaskEnqueueOptions } from "../contracts/task-enqueuer.ts";
import { checkDuration } from "../core/duration.ts";
import { PRIORITY_BOUNDS } from "../core/envelope.ts";
import type { JsonObject, JsonValue } from "../core/json.ts";
import { checkName } from "../core/names.ts";
import { checkBoolean, checkDate, checkInteger } from "../core/options.ts";
import { META_KEYS } from "../core/reserved-keys.ts";
import { retryPolicyToJson, resolveRetryPolicy } from "../core/retry-policy.ts";
import type { TaskOptions } from "../core/task-options.ts";
import { checkKnown } from "./check-ports.ts";

const KNOWN: ReadonlySet<string> = new Set<keyof TaskEnqueueOptions>([
  "taskId",
  "countdown",
  "eta",
  "expires",
  "queue",
  "priority",
  "timeLimit",
  "softTimeLimit",
  "ignoreResult",
  "addToParent",
  "retryPolicy",
]);

/** Throws a typed error, with the path, for the first per-enqueue option that is unknown or out of bounds. */
export function checkEnqueueOptions(options: TaskEnqueueOptions): void {
  const path = "enqueueOptions";
  checkKnown(path, options, KNOWN);
  if (options.taskId !== undefined) checkName("task id", options.taskId);
  if (options.queue !== undefined) checkName("queue", options.queue);
  if (options.countdown !== undefined) checkDuration(`${path}.countdown`, options.countdown);
  if (options.eta !== undefined) checkDate(`${path}.eta`, options.eta);
  if (options.priority !== undefined) checkInteger(`${path}.priority`, options.priority, PRIORITY_BOUNDS);
  if (options.retryPolicy !== undefined) resolveRetryPolicy(options.retryPolicy, `${path}.retryPolicy`);
  if (typeof options.expires === "number") checkDuration(`${path}.expires`, options.expires);
  else if (options.expires !== undefined) checkDate(`${path}.expires`, options.expires);
  for (const name of ["timeLimit", "softTimeLimit"] as const) {
    if (options[name] !== undefined) checkDuration(`${path}.${name}`, options[name], { min: 1 });
  }
  for (const name of ["ignoreResult", "addToParent"] as const) {
    if (options[name] !== undefined) checkBoolean(`${path}.${name}`, options[name]);
  }
}

/** The earliest start: `eta`, else `countdown` from now, else `notBefore`. */
export function earliestStart(options: TaskEnqueueOptions, notBefore: Date | undefined, now: number): Date | undefined {
  if (options.eta !== undefined) return options.eta;
  if (options.countdown !== undefined) return new Date(now + options.countdown);
  return notBefore;
}

/** The meta entries that per-enqueue options, and limits among a call's task options, are stored under. */
export function metaOfOptions(options: TaskEnqueueOptions, call: TaskOptions, now: number): JsonObject {
  const meta: Record<string, JsonValue> = {};
  const timeLimit = options.timeLimit ?? call.hardTimeLimit;
  const softTimeLimit = options.softTimeLimit ?? call.softTimeLimit;
  const policy = options.retryPolicy ?? call.retryPolicy;
  if (timeLimit !== undefined) meta[META_KEYS.timeLimitMs] = timeLimit;
  if (softTimeLimit !== undefined) meta[META_KEYS.softTimeLimitMs] = softTimeLimit;
  if (policy !== undefined) meta[META_KEYS.retryPolicy] = retryPolicyToJson(resolveRetryPolicy(policy));
  if (options.ignoreResult === true) meta[META_KEYS.ignoreResult] = true;
  if (options.expires !== undefined) {
    const expiresAt = typeof options.expires === "number" ? new Date(now + options.expires) : options.expires;
    meta[META_KEYS.expiresAt] = expiresAt.toISOString();
  }
  return meta;
}
