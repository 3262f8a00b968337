import { StemError } from "./errors.ts";

/** A run of this id is stored already; nothing was created. */
export class DuplicateRunError extends StemError {
  override readonly name = "DuplicateRunError";
  constructor(runId: string) {
    super("STEM_DUPLICATE_RUN", `There is a workflow run "${runId}" already.`, { details: { runId } });
  }
}

/** Two definitions share a name and a version. */
export class DuplicateWorkflowError extends StemError {
  override readonly name = "DuplicateWorkflowError";
  constructor(workflow: string, version: number) {
    super("STEM_DUPLICATE_WORKFLOW", `Two workflows are named "${workflow}" and have version ${version}.`, {
      details: { workflow, version },
    });
  }
}

/** No definition of this name, or of this version of it, is registered. */
export class UnknownWorkflowError extends StemError {
  override readonly name = "UnknownWorkflowError";
  constructor(workflow: string, version?: number) {
    const which = version === undefined ? "" : ` with version ${version}`;
    super("STEM_UNKNOWN_WORKFLOW", `No workflow "${workflow}"${which} is registered here.`, {
      details: { workflow, version },
    });
  }
}

/** No run of this id is stored. */
export class UnknownRunError extends StemError {
  override readonly name = "UnknownRunError";
  constructor(runId: string) {
    super("STEM_UNKNOWN_RUN", `There is no workflow run "${runId}".`, { details: { runId } });
  }
}

/** The run is no longer this claim's: it lapsed, was taken over, or the run was cancelled, rewound or has ended. */
export class RunLeaseLostError extends StemError {
  override readonly name = "RunLeaseLostError";
  constructor(runId: string) {
    super("STEM_RUN_LEASE_LOST", `Workflow run "${runId}" is not held by this claim any more; nothing was changed.`, {
      details: { runId },
    });
  }
}

/** The code of a workflow does not do what its run has recorded; `details.step` is where the two part. */
export class NondeterminismError extends StemError {
  override readonly name = "NondeterminismError";
  constructor(workflow: string, step: string, finding: string) {
    super("STEM_NONDETERMINISM", `Workflow "${workflow}" has changed under a run, at step "${step}": ${finding}.`, {
      details: { workflow, step, finding },
    });
  }
}

/** A step failed for good; thrown into the workflow's body, the same at each replay. */
export class StepFailedError extends StemError {
  override readonly name = "StepFailedError";
  constructor(step: string, type: string, message: string) {
    super("STEM_STEP_FAILED", `Step "${step}" failed: ${type}: ${message}`, { details: { step, type, message } });
  }
}

/** A run that was waited for has failed or was cancelled. */
export class WorkflowFailedError extends StemError {
  override readonly name = "WorkflowFailedError";
  /** `step`: where it was waited for, in a workflow. */
  constructor(runId: string, status: string, type?: string, message?: string, step?: string) {
    const reason = type === undefined ? "" : `: ${type}: ${message ?? ""}`;
    super("STEM_WORKFLOW_FAILED", `Workflow run "${runId}" has no result; it is ${status}${reason}.`, {
      details: { runId, status, type, message, step },
    });
  }
}

/** The run was asked to end: its steps fail with this, so that what it has done can be compensated. */
export class WorkflowCancelledError extends StemError {
  override readonly name = "WorkflowCancelledError";
  constructor(runId: string, reason?: string) {
    super(
      "STEM_WORKFLOW_CANCELLED",
      `Workflow run "${runId}" was cancelled${reason === undefined ? "" : `: ${reason}`}.`,
      {
        details: { runId, reason },
      },
    );
  }
}
