/** State of a workflow's run. */
export type WorkflowStatus = "running" | "suspended" | "completed" | "failed" | "cancelled";

export const WORKFLOW_STATUSES: readonly WorkflowStatus[] = [
  "running",
  "suspended",
  "completed",
  "failed",
  "cancelled",
];

/** Whether a run has ended. Rewinding takes it back. */
export function hasRunEnded(status: WorkflowStatus): boolean {
  return status === "completed" || status === "failed" || status === "cancelled";
}
