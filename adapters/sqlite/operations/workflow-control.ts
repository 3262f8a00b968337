import type { EncodedRun } from "../../../src/core/workflow-checks.ts";
import type { ContinuationReason } from "../../../src/core/workflow-continuation.ts";
import { droppedAtResume, innerPrefixOf } from "../../../src/core/workflow-ends.ts";
import type { StepRow } from "../../../src/core/workflow-rows.ts";
import { recoveryFailure } from "../../../src/core/workflow-rules.ts";
import { DuplicateRunError } from "../../../src/error-workflow.ts";
import { PRUNE_EVENTS } from "../sql/workflow-events.ts";
import { CONFIRM_CONTINUATION, LIST_CONTINUATIONS } from "../sql/workflow-outbox.ts";
import { LIST_LOST, PRUNE_HEARD, PRUNE_RUNS, PRUNE_STEPS } from "../sql/workflow-runs.ts";
import { DELETE_STEP, DELETE_STEPS_FROM, FIRST_POSITION, LIST_STEPS } from "../sql/workflow-steps.ts";
import type { Operation, OperationScope } from "./operation.ts";
import { type ChangedRun, RunChanges, type WorkflowPlace } from "./workflow-run-changes.ts";

export interface CancelRunArgs extends WorkflowPlace {
  readonly runId: string;
  readonly reason: string;
  readonly compensate: boolean;
}

export interface RecoverRunsArgs extends WorkflowPlace {
  readonly grace: number;
  readonly maxRecoveries: number;
  readonly limit: number;
}

/** A continuation of the outbox; `notBefore` in epoch milliseconds. */
export interface StoredContinuation {
  readonly runId: string;
  readonly number: number;
  readonly reason: ContinuationReason;
  readonly workflow: string;
  readonly queue: string;
  readonly notBefore: number | null;
}

const PRUNE_LIMIT = 200;

/** Stores a run and its first continuation. */
export const createRun: Operation<WorkflowPlace & { readonly run: EncodedRun }, void> = {
  kind: "steps",
  run: (scope, { run, ...place }) =>
    change(scope, place, (changes) => {
      if (!changes.create(run)) throw new DuplicateRunError(run.runId);
    }),
};

export const cancelRun: Operation<CancelRunArgs, boolean> = {
  kind: "steps",
  run: (scope, { runId, reason, compensate, ...place }) =>
    change(scope, place, (changes) => {
      const run = changes.find(runId);
      if (run === undefined || run.endedAt !== null) return false;
      if (compensate) changes.askToEnd(run, reason);
      else changes.cancel(run, reason);
      return true;
    }),
};

export const rewindRun: Operation<WorkflowPlace & { readonly runId: string; readonly step: string }, boolean> = {
  kind: "steps",
  run: (scope, { runId, step, ...place }) =>
    change(scope, place, (changes) => {
      const ref = { namespace: place.namespace, runId };
      const named = { ...ref, step, inner: innerPrefixOf(step) };
      const position = scope.sql.get<{ position: number | null }>(FIRST_POSITION, named)?.position ?? null;
      const run = changes.find(runId);
      if (run === undefined || position === null) return false;
      scope.sql.run(DELETE_STEPS_FROM, { ...ref, position });
      changes.change(run, { rewinds: run.rewinds + 1 });
      changes.restart(run, "replay");
      return true;
    }),
};

export const resumeRun: Operation<WorkflowPlace & { readonly runId: string }, boolean> = {
  kind: "steps",
  run: (scope, { runId, ...place }) =>
    change(scope, place, (changes) => {
      const run = changes.find(runId);
      if (run?.status !== "failed" && run?.status !== "cancelled") return false;
      const ref = { namespace: place.namespace, runId };
      const { dropped, wasUndone } = droppedAtResume(scope.sql.all<StepRow>(LIST_STEPS, ref), run.lastError);
      for (const { name } of dropped) scope.sql.run(DELETE_STEP, { ...ref, name });
      if (wasUndone) changes.change(run, { rewinds: run.rewinds + 1 });
      changes.restart(run, "manual");
      return true;
    }),
};

/** Gives new continuations to runs whose present one was lost; returns their ids. */
export const recoverRuns: Operation<RecoverRunsArgs, string[]> = {
  kind: "steps",
  run: (scope, { grace, maxRecoveries, limit, ...place }) =>
    change(scope, place, (changes) => {
      const lost = scope.sql.all<{ runId: string }>(LIST_LOST, {
        ...place,
        since: scope.now - Math.ceil(grace),
        limit,
      });
      const runs = lost.map(({ runId }) => changes.find(runId)).filter((run) => run !== undefined);
      return runs.filter((run) => recover(changes, run, maxRecoveries)).map(({ runId }) => runId);
    }),
};

export const pendingContinuations: Operation<
  { readonly namespace: string; readonly limit: number },
  StoredContinuation[]
> = {
  kind: "read",
  run: (scope, args) => scope.sql.all<StoredContinuation>(LIST_CONTINUATIONS, { ...args }),
};

export const confirmContinuations: Operation<
  { readonly namespace: string; readonly refs: readonly Readonly<{ runId: string; number: number }>[] },
  void
> = {
  kind: "steps",
  isRepeatable: true,
  run(scope, { namespace, refs }) {
    for (const ref of refs) scope.sql.run(CONFIRM_CONTINUATION, { namespace, ...ref });
  },
};

/** Deletes a bounded number of runs and events past their time; says how many runs, and whether there may be more. */
export const pruneWorkflows: Operation<{ readonly namespace: string }, Readonly<{ runs: number; isMore: boolean }>> = {
  kind: "steps",
  run(scope, { namespace }) {
    const bounds = { namespace, now: scope.now, limit: PRUNE_LIMIT };
    scope.sql.run(PRUNE_STEPS, bounds);
    scope.sql.run(PRUNE_HEARD, bounds);
    const runs = scope.sql.run(PRUNE_RUNS, bounds);
    const events = scope.sql.run(PRUNE_EVENTS, bounds);
    return { runs, isMore: runs === PRUNE_LIMIT || events === PRUNE_LIMIT };
  },
};

function change<T>(scope: OperationScope, place: WorkflowPlace, work: (changes: RunChanges) => T): T {
  const changes = new RunChanges(scope, place);
  const value = work(changes);
  changes.save();
  return value;
}

function recover(changes: RunChanges, run: ChangedRun, maxRecoveries: number): boolean {
  // A run may have ended with its parent, a moment ago.
  if (run.endedAt !== null || changes.cancelByPolicy(run)) return false;
  if (run.recoveries >= maxRecoveries) {
    changes.end(run, { status: "failed", lastError: recoveryFailure(run.recoveries) });
    return false;
  }
  changes.release(run);
  changes.change(run, { recoveries: run.recoveries + 1 });
  changes.goOn(run, "recovery", changes.now);
  return true;
}
