import type { RunState } from "../contracts/workflow-store.ts";
import { hasRunEnded, type WorkflowStatus } from "../core/workflow-status.ts";
import { WorkflowFailedError } from "../error-workflow.ts";

/** A run that was waited for, as it was seen last. */
export interface WorkflowResult<Result = unknown> {
  readonly runId: string;
  readonly status: WorkflowStatus;
  readonly state: RunState;
  /** The result of a completed run. */
  readonly value?: Result;
  /** The run had not ended when the time was over. */
  readonly timedOut: boolean;
  /** The result; throws `WorkflowFailedError` when the run has none. */
  unwrap(): Result;
}

/** Makes the result of a run that was seen as `state`. */
export function createWorkflowResult<Result>(state: RunState): WorkflowResult<Result> {
  const { runId, status, lastError } = state;
  const isCompleted = status === "completed";
  return {
    runId,
    status,
    state,
    ...(isCompleted ? { value: state.result as Result } : {}),
    timedOut: !hasRunEnded(status),
    unwrap() {
      if (!isCompleted) throw new WorkflowFailedError(runId, status, lastError?.type, lastError?.message);
      return state.result as Result;
    },
  };
}
