import { checkDuration, type Milliseconds } from "../core/duration.ts";
import type { Envelope } from "../core/envelope.ts";
import type { JsonObject } from "../core/json.ts";
import { META_KEYS } from "../core/reserved-keys.ts";
import { type ResolvedRetryPolicy, resolveRetryPolicy, retryDelay, retryPolicyFromJson } from "../core/retry-policy.ts";
import type { TaskOptions } from "../core/task-options.ts";
import type { ResolvedWorkerOptions } from "./worker-options.ts";

type Report = (during: string, error: unknown) => void;

/** Whether the message was not to be started any more at `now`. What is no date never expires. */
export function isExpired(envelope: Envelope, now: number): boolean {
  const expiresAt = envelope.meta[META_KEYS.expiresAt];
  return typeof expiresAt === "string" && Date.parse(expiresAt) <= now;
}

/** The message's own retry policy, else the task's. One that cannot be read is reported and left aside. */
export function policyOf(
  envelope: Envelope,
  options: TaskOptions | undefined,
  report: Report,
): ResolvedRetryPolicy | undefined {
  const stored = envelope.meta[META_KEYS.retryPolicy];
  if (stored !== undefined) {
    try {
      return retryPolicyFromJson(stored as JsonObject);
    } catch (error) {
      report("reading a message's retry policy; the task's own is used", error);
    }
  }
  return options?.retryPolicy === undefined ? undefined : resolveRetryPolicy(options.retryPolicy);
}

/** Delay before the next attempt. A strategy that throws or gives no duration is reported and counts as 0. */
export function retryDelayOf(
  envelope: Envelope,
  policy: ResolvedRetryPolicy | undefined,
  { retryStrategy, randomness }: Pick<ResolvedWorkerOptions, "retryStrategy" | "randomness">,
  report: Report,
): Milliseconds {
  const random = (): number => randomness.number();
  if (policy !== undefined) return retryDelay(policy, envelope.attempt, random);
  try {
    return checkDuration("retryStrategy.nextDelay()", retryStrategy.nextDelay(envelope.attempt, random));
  } catch (error) {
    report("asking the retry strategy; the task is retried at once", error);
    return 0;
  }
}
