import type { ClaimOutcome, Continuation, RunState, WorkflowWatcher } from "../../src/contracts/workflow-store.ts";
import { toRunState, toStepEntries, toWait } from "../../src/core/workflow-rows.ts";
import type { StoredClaimOutcome } from "./operations/workflow-claims.ts";
import type { StoredContinuation } from "./operations/workflow-control.ts";
import type { WatcherRow } from "./operations/workflow-events.ts";
import type { StoredRunState } from "./operations/workflow-watch.ts";

/** Reads a stored run; each call makes new objects. */
export function toState(stored: StoredRunState): RunState {
  return toRunState(stored, stored.cursor, stored.waits);
}

/** What became of the claim of a run by `ownerId`. */
export function toClaimOutcome(stored: StoredClaimOutcome, runId: string, ownerId: string): ClaimOutcome {
  switch (stored.kind) {
    case "claimed": {
      const claim = { runId, ownerId, token: stored.token };
      const [run, steps] = [toState(stored.run), toStepEntries(stored.steps)];
      return { kind: "claimed", claim, run, steps, waits: stored.waits.map(toWait) };
    }
    case "busy":
      return { kind: "busy", until: new Date(stored.until) };
    case "cancelled":
      return { kind: "cancelled", run: toState(stored.run) };
    case "stale":
      return { kind: "stale" };
  }
}

/** Reads a wait as its topic's list shows it. */
export function toWatcher(row: WatcherRow, topic: string): WorkflowWatcher {
  const { step, createdAt, resumeAt, data = {} } = toWait(row);
  const deadline = resumeAt === undefined ? {} : { deadline: resumeAt };
  return { runId: row.runId, stepName: step, topic, createdAt, ...deadline, data };
}

/** Reads a continuation of the outbox. */
export function toContinuation({ notBefore, ...rest }: StoredContinuation): Continuation {
  return { ...rest, ...(notBefore === null ? {} : { notBefore: new Date(notBefore) }) };
}
