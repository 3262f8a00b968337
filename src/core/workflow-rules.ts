import type { JsonObject } from "./json.ts";

/** Whether a run was asked to end, and whether whoever holds it knows from its claim. */
export const CANCEL = { NOT_ASKED: 0, ASKED: 1, TOLD: 2 } as const;

/** What the limits of a run are measured on; instants in epoch milliseconds. */
export interface PolicyFacts {
  readonly createdAt: number;
  /** Null while it is not suspended. */
  readonly suspendedAt: number | null;
  readonly maxRunDuration?: number;
  readonly maxSuspendDuration?: number;
}

/** Which limit of a run has run out. */
export interface PolicyBreach {
  readonly policy: "maxRunDuration" | "maxSuspendDuration";
  readonly elapsedMs: number;
  readonly limitMs: number;
}

/** When the first limit of a run runs out; infinite without any. */
export function policyEnd(facts: PolicyFacts): number {
  return Math.min(runEnd(facts), suspensionEnd(facts));
}

/**
 * Which limit has run out at `now`. A suspension that something ended in time, at `wokenAt`, is not over its limit,
 * however late the run is claimed.
 */
export function policyBreach(facts: PolicyFacts, wokenAt: number, now: number): PolicyBreach | undefined {
  const { createdAt, suspendedAt, maxRunDuration, maxSuspendDuration } = facts;
  if (maxRunDuration !== undefined && runEnd(facts) <= now) {
    return { policy: "maxRunDuration", elapsedMs: now - createdAt, limitMs: maxRunDuration };
  }
  const end = suspensionEnd(facts);
  if (maxSuspendDuration !== undefined && suspendedAt !== null && end <= now && wokenAt > end) {
    return { policy: "maxSuspendDuration", elapsedMs: now - suspendedAt, limitMs: maxSuspendDuration };
  }
  return undefined;
}

/** What is kept of a cancellation, as JSON. */
export function cancellationData(reason: string, now: number, breach?: PolicyBreach): JsonObject {
  return { reason, cancelledAt: new Date(now).toISOString(), ...breach };
}

function runEnd({ createdAt, maxRunDuration }: PolicyFacts): number {
  return maxRunDuration === undefined ? Number.POSITIVE_INFINITY : createdAt + Math.ceil(maxRunDuration);
}

function suspensionEnd({ suspendedAt, maxSuspendDuration }: PolicyFacts): number {
  if (maxSuspendDuration === undefined || suspendedAt === null) return Number.POSITIVE_INFINITY;
  return suspendedAt + Math.ceil(maxSuspendDuration);
}

/** Why a run is cancelled when nobody says. */
export const DEFAULT_CANCEL_REASON = "cancelled";
/** Why a run is cancelled that ends with its parent. */
export const PARENT_CANCELLED = "its parent was cancelled";

/** How a run ends whose continuations were lost again and again; JSON of an error. */
export function recoveryFailure(recoveries: number): string {
  return JSON.stringify({
    type: "WorkflowNotRecoveredError",
    message: `It came to nothing ${recoveries} times in a row, with no word from whoever had it.`,
    retryable: false,
    meta: { recoveries },
  });
}
