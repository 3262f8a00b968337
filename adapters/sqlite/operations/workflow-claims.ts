import type { EncodedClaimRequest, EncodedRun, EncodedStep, EncodedWait } from "../../../src/core/workflow-checks.ts";
import { inOrderShown } from "../../../src/core/workflow-ends.ts";
import type { SaveReceipt } from "../../../src/contracts/workflow-store.ts";
import type { RunClaim } from "../../../src/core/workflow-model.ts";
import { CANCEL } from "../../../src/core/workflow-rules.ts";
import type { StepRow, WaitRow } from "../../../src/core/workflow-rows.ts";
import { RunLeaseLostError } from "../../../src/error-workflow.ts";
import { ADVANCE_RUN, RENEW_RUN } from "../sql/workflow-runs.ts";
import { LIST_STEPS } from "../sql/workflow-steps.ts";
import type { Operation, OperationScope } from "./operation.ts";
import { type ChangedRun, FIRST_CONTINUATION, RunChanges, type WorkflowPlace } from "./workflow-run-changes.ts";
import { addWaits, dropWait, putStep, resolveWaits } from "./workflow-waits.ts";
import { findState, signalRun, type StoredRunState } from "./workflow-watch.ts";

export interface ClaimRunArgs extends WorkflowPlace {
  readonly runId: string;
  readonly request: EncodedClaimRequest;
}

/** A `ClaimOutcome` as it is sent to a member. */
export type StoredClaimOutcome =
  | {
      readonly kind: "claimed";
      readonly token: number;
      readonly run: StoredRunState;
      readonly steps: readonly StepRow[];
      readonly waits: readonly WaitRow[];
    }
  | { readonly kind: "stale" }
  | { readonly kind: "busy"; readonly until: number }
  | { readonly kind: "cancelled"; readonly run: StoredRunState };

/** What every change by a claim takes. */
export interface ClaimArgs extends WorkflowPlace {
  readonly claim: RunClaim;
}

export interface SaveStepArgs extends ClaimArgs {
  readonly step: EncodedStep;
  readonly leaseMs: number;
  readonly child: EncodedRun | null;
}

interface AdvancedRun {
  readonly position: number;
  readonly cancelRequested: number;
  readonly continuation: number;
}

export interface MarkCompletedArgs extends ClaimArgs {
  readonly result: string;
  readonly step: EncodedStep | null;
}

/**
 * Takes a run, what is over turned into checkpoints. Its answer is as long as the run's history and is not kept: a member
 * that asks the next owner again holds the run already, and is granted it again.
 */
export const claimRun: Operation<ClaimRunArgs, StoredClaimOutcome> = {
  kind: "steps",
  isRepeatable: true,
  run(scope, { runId, request, ...place }) {
    const changes = new RunChanges(scope, place);
    const outcome = refuse(changes, runId, request) ?? take(changes, runId, request);
    return outcome;
  },
};

export const renewRun: Operation<ClaimArgs & { readonly leaseMs: number }, number> = {
  kind: "statement",
  isRepeatable: true,
  run(scope, { namespace, claim, leaseMs }) {
    const leaseUntil = scope.now + leaseMs;
    const changed = scope.sql.run(RENEW_RUN, { ...claim, namespace, leaseUntil, now: scope.now });
    if (changed === 0) throw new RunLeaseLostError(claim.runId);
    return leaseUntil;
  },
};

export const releaseRun: Operation<ClaimArgs & { readonly delay: number; readonly error: string | null }, void> = {
  kind: "steps",
  run: (scope, { claim, delay, error, ...place }) =>
    changeHeld(scope, place, claim, (changes, run) => {
      changes.release(run);
      if (error !== null) changes.change(run, { lastError: error });
      changes.goOn(run, "due", scope.now + delay);
    }),
};

/** Two or three statements without a child: this is on the way of every step. */
export const saveStep: Operation<SaveStepArgs, SaveReceipt> = {
  kind: "steps",
  run(scope, { claim, step, leaseMs, child, ...place }) {
    const { position, cancelRequested, continuation } = advance(scope, place.namespace, claim, scope.now + leaseMs);
    const changes = new RunChanges(scope, place);
    putStep(changes, claim.runId, { ...step, endedAt: scope.now }, position);
    if (continuation > FIRST_CONTINUATION) dropWait(changes, claim.runId, step.name);
    signalRun(scope, place.namespace, claim.runId);
    if (child !== null && changes.create(child)) changes.save();
    return { cancelRequested: cancelRequested !== CANCEL.NOT_ASKED };
  },
};

export const suspendRun: Operation<ClaimArgs & { readonly waits: readonly EncodedWait[] }, void> = {
  kind: "steps",
  run: (scope, { claim, waits, ...place }) =>
    changeHeld(scope, place, claim, (changes, run) => {
      if (run.cancelRequested === CANCEL.ASKED) return changes.endAsAsked(run);
      changes.release(run);
      changes.change(run, { status: "suspended", suspendedAt: scope.now, recoveries: 0 });
      const { all, isOver } = addWaits(changes, run, waits);
      if (!isOver) return changes.goOn(run, "due", changes.nextDue(run, all));
      const isEnded = all.some(({ endedAt }) => endedAt !== null);
      changes.goOn(run, isEnded ? "event" : "due", scope.now);
    }),
};

export const markRunCompleted: Operation<MarkCompletedArgs, void> = {
  kind: "steps",
  run: (scope, { claim, result, step, ...place }) =>
    changeHeld(scope, place, claim, (changes, run) => {
      if (step !== null) {
        putStep(changes, run.runId, { ...step, endedAt: scope.now }, run.nextPosition);
        changes.change(run, { nextPosition: run.nextPosition + 1 });
      }
      changes.end(run, { status: "completed", result, lastError: null });
    }),
};

export const markRunFailed: Operation<ClaimArgs & { readonly error: string }, void> = {
  kind: "steps",
  run: (scope, { claim, error, ...place }) =>
    changeHeld(scope, place, claim, (changes, run) => {
      const isAsked = run.cancelRequested !== CANCEL.NOT_ASKED;
      changes.end(run, { status: isAsked ? "cancelled" : "failed", lastError: error });
      if (isAsked) changes.askChildren(run);
    }),
};

function changeHeld(
  scope: OperationScope,
  place: WorkflowPlace,
  claim: RunClaim,
  change: (changes: RunChanges, run: ChangedRun) => void,
): void {
  const changes = new RunChanges(scope, place);
  change(changes, changes.held(claim));
  changes.save();
}

/** The position of a checkpoint to be stored under a claim, and whether the run was asked to end. */
function advance(scope: OperationScope, namespace: string, claim: RunClaim, leaseUntil: number): AdvancedRun {
  const values = { ...claim, namespace, leaseUntil, now: scope.now };
  const row = scope.sql.get<AdvancedRun>(ADVANCE_RUN, values);
  if (row === undefined) throw new RunLeaseLostError(claim.runId);
  return row;
}

/** Why a run cannot be claimed; `undefined` when it can. */
function refuse(changes: RunChanges, runId: string, request: EncodedClaimRequest): StoredClaimOutcome | undefined {
  const { ownerId, continuation, fence } = request;
  const run = changes.find(runId);
  if (run === undefined || run.endedAt !== null) return { kind: "stale" };
  if (continuation !== null && continuation !== run.continuation) return { kind: "stale" };
  if (changes.cancelByPolicy(run)) {
    changes.save();
    return { kind: "cancelled", run: stateOf(changes, runId) };
  }
  if (run.leaseUntil !== null && changes.isHeld(run)) {
    const isOlder = fence !== null && run.fence !== null && fence < run.fence;
    const isNewer = fence !== null && run.fence !== null && fence > run.fence;
    const mayTake = isNewer || (ownerId === run.ownerId && !isOlder);
    if (!mayTake) return { kind: "busy", until: run.leaseUntil };
  }
  if (run.status !== "suspended" || continuation === null) return undefined;
  // Only an event can wake it, and that makes another continuation.
  if (run.continuationAt === null) return { kind: "stale" };
  return run.continuationAt > changes.now ? { kind: "busy", until: run.continuationAt } : undefined;
}

function take(
  changes: RunChanges,
  runId: string,
  { ownerId, leaseMs, fence }: EncodedClaimRequest,
): StoredClaimOutcome {
  const { scope, place, now } = changes;
  const run = changes.find(runId);
  if (run === undefined) return { kind: "stale" };
  const waits = resolveWaits(changes, run);
  // Whoever claims by hand, and is never heard of again, leaves a run that is due.
  const continuationAt = Math.min(run.continuationAt ?? now, now);
  const claimed = { token: scope.nextToken(), fence, ownerId, leaseUntil: now + leaseMs };
  changes.change(run, { ...claimed, status: "running", suspendedAt: null, continuationAt });
  if (run.cancelRequested !== CANCEL.NOT_ASKED) changes.change(run, { cancelRequested: CANCEL.TOLD });
  changes.save();
  const isNew = run.nextPosition === 0;
  const steps = isNew ? [] : scope.sql.all<StepRow>(LIST_STEPS, { namespace: place.namespace, runId });
  return { kind: "claimed", token: run.token, run: stateOf(changes, runId), steps, waits: inOrderShown(waits) };
}

function stateOf({ scope, place }: RunChanges, runId: string): StoredRunState {
  const state = findState(scope, { namespace: place.namespace, runId });
  if (state === null) throw new Error("A run both exists and does not.");
  return state;
}
