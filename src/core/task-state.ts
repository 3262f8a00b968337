/** Where a task stands. `succeeded`, `failed` and `cancelled` are terminal. */
export type TaskState = "queued" | "running" | "succeeded" | "failed" | "retried" | "cancelled";

export const TASK_STATES: readonly TaskState[] = ["queued", "running", "succeeded", "failed", "retried", "cancelled"];

/** Whether nothing follows `state`. */
export function isTerminal(state: TaskState): boolean {
  return state === "succeeded" || state === "failed" || state === "cancelled";
}

/** The part of a status that decides whether a later write may replace it. */
export interface StateStamp {
  readonly state: TaskState;
  readonly attempt: number;
  /** Token of the delivery that wrote it; absent for a write outside of any delivery. */
  readonly fence?: number | undefined;
}

/**
 * Whether a status write may replace the stored one. The same rule holds for every backend:
 *
 * - `queued` replaces nothing: a late producer never hides what a worker wrote.
 * - A delivery whose token is older than the stored one changes nothing.
 * - `succeeded` and `cancelled` are final. `failed` gives way to `succeeded`, and to a higher attempt: both are the
 *   outcome of a replayed dead letter.
 */
export function mayReplace(stored: StateStamp, next: StateStamp): boolean {
  if (next.state === "queued") return false;
  if (stored.fence !== undefined && next.fence !== undefined && next.fence < stored.fence) return false;
  if (stored.state === "succeeded" || stored.state === "cancelled") return false;
  if (stored.state === "failed") return next.state === "succeeded" || next.attempt > stored.attempt;
  return true;
}
