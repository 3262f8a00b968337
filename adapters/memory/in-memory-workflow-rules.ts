import type { EncodedClaimRequest, EncodedRun, EncodedStep, EncodedWait } from "../../src/core/workflow-checks.ts";
import type { ClaimOutcome, ListRunsRequest, RunClaim } from "../../src/contracts/workflow-store.ts";
import { droppedAtResume, innerPrefixOf } from "../../src/core/workflow-ends.ts";
import { CANCEL, recoveryFailure } from "../../src/core/workflow-rules.ts";
import { hasRunEnded } from "../../src/core/workflow-status.ts";
import { DuplicateRunError, UnknownRunError } from "../../src/error-workflow.ts";
import type { WorkflowChanges } from "./in-memory-workflow-changes.ts";
import type { StoredRun } from "./in-memory-workflow-data.ts";
import { addWaits, putStep, resolveWaits } from "./in-memory-workflow-waits.ts";

/** What the methods of the store do, one function each. */
export function createRun(changes: WorkflowChanges, run: EncodedRun): void {
  if (changes.space.runs.has(run.runId)) throw new DuplicateRunError(run.runId);
  changes.create(run);
}

/** Why a run cannot be claimed; `undefined` when it can. */
export function refuseClaim(
  changes: WorkflowChanges,
  runId: string,
  { ownerId, continuation, fence }: EncodedClaimRequest,
): ClaimOutcome | undefined {
  const run = changes.space.runs.get(runId);
  if (run === undefined || hasRunEnded(run.row.status)) return { kind: "stale" };
  if (continuation !== null && continuation !== run.row.continuation) return { kind: "stale" };
  if (changes.cancelByPolicy(run)) return { kind: "cancelled", run: changes.stateOf(run) };
  if (changes.isHeld(run)) {
    const isOlder = fence !== null && run.fence !== null && fence < run.fence;
    const isNewer = fence !== null && run.fence !== null && fence > run.fence;
    const mayTake = isNewer || (ownerId === run.row.ownerId && !isOlder);
    const until = changes.stateOf(run).leaseExpiresAt;
    if (!mayTake && until !== undefined) return { kind: "busy", until };
  }
  const { status, continuationAt } = run.row;
  if (status !== "suspended" || continuation === null) return undefined;
  // Only an event can wake it, and that makes another continuation.
  if (continuationAt === null) return { kind: "stale" };
  return continuationAt > changes.now ? { kind: "busy", until: new Date(continuationAt) } : undefined;
}

/** Gives a run to who may have it, its waits that are over turned into checkpoints. */
export function takeRun(
  changes: WorkflowChanges,
  runId: string,
  { ownerId, leaseMs, fence }: EncodedClaimRequest,
): Readonly<{ run: StoredRun; claim: RunClaim }> {
  const run = changes.space.runs.get(runId);
  if (run === undefined) throw new UnknownRunError(runId);
  resolveWaits(changes, run);
  run.token = changes.space.next();
  run.fence = fence;
  run.leaseEndsAt = changes.at.monotonic + leaseMs;
  // Whoever claims by hand, and is never heard of again, leaves a run that is due.
  const continuationAt = Math.min(run.row.continuationAt ?? changes.now, changes.now);
  changes.change(run, { status: "running", suspendedAt: null, ownerId, continuationAt });
  if (run.row.cancelRequested !== CANCEL.NOT_ASKED) changes.change(run, { cancelRequested: CANCEL.TOLD });
  return { run, claim: { runId, ownerId, token: run.token } };
}

export function releaseRun(changes: WorkflowChanges, run: StoredRun, delay: number, error: string | undefined): void {
  changes.release(run);
  if (error !== undefined) changes.change(run, { lastError: error });
  changes.goOn(run, "due", changes.now + delay);
}

export function saveStep(changes: WorkflowChanges, run: StoredRun, step: EncodedStep): void {
  putStep(run, { ...step, endedAt: changes.now });
  run.recoveries = 0;
  changes.change(run, { lastError: null });
}

export function suspend(changes: WorkflowChanges, run: StoredRun, waits: readonly EncodedWait[]): void {
  if (run.row.cancelRequested === CANCEL.ASKED) return changes.endAsAsked(run);
  changes.release(run);
  run.recoveries = 0;
  changes.change(run, { status: "suspended", suspendedAt: changes.now });
  if (!addWaits(changes, run, waits)) return changes.goOn(run, "due", changes.nextDue(run));
  const isEnded = [...run.waits.values()].some(({ endedAt }) => endedAt !== null);
  changes.goOn(run, isEnded ? "event" : "due", changes.now);
}

export function cancel(changes: WorkflowChanges, runId: string, reason: string, compensate: boolean): boolean {
  const run = changes.space.runs.get(runId);
  if (run === undefined || hasRunEnded(run.row.status)) return false;
  if (compensate) changes.askToEnd(run, reason);
  else changes.cancel(run, reason);
  return true;
}

export function rewind(changes: WorkflowChanges, runId: string, step: string): boolean {
  const run = changes.space.runs.get(runId);
  const steps = [...(run?.steps.values() ?? [])];
  const inner = innerPrefixOf(step);
  const isOfStep = (name: string, baseName: string): boolean =>
    name === step || baseName === step || name.startsWith(inner);
  const first = steps.findIndex(({ name, baseName }) => isOfStep(name, baseName));
  if (run === undefined || first === -1) return false;
  for (const { name } of steps.slice(first)) run.steps.delete(name);
  changes.change(run, { rewinds: run.row.rewinds + 1 });
  changes.restart(run, "replay");
  return true;
}

export function resume(changes: WorkflowChanges, runId: string): boolean {
  const run = changes.space.runs.get(runId);
  if (run?.row.status !== "failed" && run?.row.status !== "cancelled") return false;
  const { dropped, wasUndone } = droppedAtResume([...run.steps.values()], run.row.lastError);
  for (const { name } of dropped) run.steps.delete(name);
  if (wasUndone) changes.change(run, { rewinds: run.row.rewinds + 1 });
  changes.restart(run, "manual");
  return true;
}

export function recover(
  changes: WorkflowChanges,
  { grace, maxRecoveries, limit }: Readonly<{ grace: number; maxRecoveries: number; limit: number }>,
): string[] {
  const { now, at, space } = changes;
  const isLost = (run: StoredRun): boolean =>
    (run.row.continuationAt ?? Number.POSITIVE_INFINITY) <= now - grace &&
    (run.leaseEndsAt ?? Number.NEGATIVE_INFINITY) <= at.monotonic - grace &&
    !space.outbox.has(run.row.runId);
  const recovered: string[] = [];
  for (const run of byDueTime(changes).filter(isLost).slice(0, limit)) {
    // A run may have ended with its parent, a moment ago.
    if (hasRunEnded(run.row.status) || changes.cancelByPolicy(run)) continue;
    if (run.recoveries >= maxRecoveries) {
      changes.end(run, { status: "failed", lastError: recoveryFailure(run.recoveries) });
      continue;
    }
    run.recoveries += 1;
    changes.release(run);
    changes.goOn(run, "recovery", now);
    recovered.push(run.row.runId);
  }
  return recovered;
}

export function prune({ space, now }: WorkflowChanges): number {
  for (const [topic, events] of space.events) {
    const kept = events.filter(({ expiresAt }) => expiresAt > now);
    if (kept.length === 0) space.events.delete(topic);
    else space.events.set(topic, kept);
  }
  const old = [...space.runs.values()].filter(({ expiresAt }) => expiresAt !== null && expiresAt <= now);
  for (const { row } of old) space.runs.delete(row.runId);
  return old.length;
}

/** Latest change first, then by id. */
export function latestRuns({ space }: WorkflowChanges, request: ListRunsRequest): StoredRun[] {
  const { workflow, status, parentRunId } = request;
  return [...space.runs.values()]
    .filter(
      ({ row }) =>
        (workflow === undefined || row.workflow === workflow) &&
        (status === undefined || row.status === status) &&
        (parentRunId === undefined || row.parentRunId === parentRunId),
    )
    .sort(({ row: one }, { row: other }) => other.updatedAt - one.updatedAt || compareText(one.runId, other.runId));
}

/** Runs that nobody holds and whose continuation is due, earliest first. */
export function runnableRuns(changes: WorkflowChanges): StoredRun[] {
  return byDueTime(changes).filter(
    (run) => !changes.isHeld(run) && (run.row.continuationAt ?? Number.POSITIVE_INFINITY) <= changes.now,
  );
}

function byDueTime({ space }: WorkflowChanges): StoredRun[] {
  const dueAt = ({ row }: StoredRun): number => row.continuationAt ?? Number.MAX_SAFE_INTEGER;
  return [...space.runs.values()].sort(
    (one, other) => dueAt(one) - dueAt(other) || compareText(one.row.runId, other.row.runId),
  );
}

function compareText(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}
