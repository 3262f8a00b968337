import type { EncodedRun } from "../../src/core/workflow-checks.ts";
import { childEnding, inOrderShown, overAt } from "../../src/core/workflow-ends.ts";
import { countSteps, readPolicy, type RunRow, toRunState } from "../../src/core/workflow-rows.ts";
import type { ContinuationReason, RunClaim, RunState, WorkflowQueues } from "../../src/contracts/workflow-store.ts";
import {
  CANCEL,
  cancellationData,
  PARENT_CANCELLED,
  type PolicyBreach,
  policyBreach,
  policyEnd,
  type PolicyFacts,
} from "../../src/core/workflow-rules.ts";
import { hasRunEnded } from "../../src/core/workflow-status.ts";
import { RunLeaseLostError } from "../../src/error-workflow.ts";
import type { StoredRun, StoredWait, WorkflowNamespace } from "./in-memory-workflow-data.ts";
import type { PushIterator } from "./push-iterator.ts";
import type { Instant } from "./stored-message.ts";

/** What a run is when nobody holds it and it waits for nothing. */
const AT_LARGE = { status: "running", ownerId: null, leaseUntil: null, suspendedAt: null } as const;

/** Changes of the runs of one namespace, at one instant; every method of the store is made of them. */
export class WorkflowChanges {
  readonly space: WorkflowNamespace;
  readonly at: Instant;
  readonly #changed = new Set<StoredRun>();

  constructor(space: WorkflowNamespace, at: Instant) {
    this.space = space;
    this.at = at;
  }

  get now(): number {
    return this.at.now;
  }

  /** The run of a claim that may change it. */
  held(claim: RunClaim): StoredRun {
    const run = this.space.runs.get(claim.runId);
    const isHeld = run !== undefined && run.token === claim.token && run.row.ownerId === claim.ownerId;
    if (!isHeld || !this.isHeld(run)) throw new RunLeaseLostError(claim.runId);
    return run;
  }

  isHeld(run: StoredRun): boolean {
    return run.leaseEndsAt !== null && run.leaseEndsAt > this.at.monotonic;
  }

  create(run: EncodedRun): void {
    const { ttl, endsWithParent, ...rest } = run;
    const stored: StoredRun = {
      row: {
        ...rest,
        ...AT_LARGE,
        result: null,
        lastError: null,
        cancellation: null,
        cancelRequested: CANCEL.NOT_ASKED,
        rewinds: 0,
        continuation: 0,
        continuationAt: null,
        createdAt: this.now,
        updatedAt: this.now,
        endedAt: null,
      },
      ttl,
      endsWithParent: endsWithParent === 1,
      sequence: this.space.next(),
      token: 0,
      fence: null,
      leaseEndsAt: null,
      recoveries: 0,
      expiresAt: null,
      steps: new Map(),
      waits: new Map(),
      taskEnds: new Map(),
      heard: new Map(),
    };
    this.space.runs.set(run.runId, stored);
    this.goOn(stored, "start", this.now);
  }

  /** Changes what is told of a run. */
  change(run: StoredRun, changes: Partial<RunRow>): void {
    run.row = { ...run.row, ...changes, updatedAt: this.now };
    this.#changed.add(run);
  }

  /** Whoever holds the run holds it no more, and its claims are worth nothing. */
  release(run: StoredRun): void {
    run.token = this.space.next();
    run.leaseEndsAt = null;
    run.fence = null;
    this.change(run, { ownerId: null });
  }

  /** Gives the run a new continuation, due at `dueAt`; under way only when that is an instant. */
  goOn(run: StoredRun, reason: ContinuationReason, dueAt: number | null): void {
    const { runId, workflow } = run.row;
    const number = run.row.continuation + 1;
    this.change(run, { continuation: number, continuationAt: dueAt });
    this.space.outbox.delete(runId);
    if (dueAt === null) return;
    const queues = JSON.parse(run.row.queues) as WorkflowQueues;
    const queue = number === 1 ? queues.orchestrationQueue : queues.continuationQueue;
    const notBefore = dueAt > this.now ? dueAt : null;
    this.space.outbox.set(runId, { runId, number, reason, workflow, queue, notBefore });
  }

  /** Has the run go on from its checkpoints as if it had never ended; it waits for nothing. */
  restart(run: StoredRun, reason: ContinuationReason): void {
    this.release(run);
    run.recoveries = 0;
    run.expiresAt = null;
    this.#waitForNothing(run);
    this.change(run, {
      ...AT_LARGE,
      result: null,
      lastError: null,
      cancellation: null,
      cancelRequested: CANCEL.NOT_ASKED,
    });
    this.change(run, { endedAt: null });
    this.goOn(run, reason, this.now);
  }

  /** Ends a run, and the waits for it. */
  end(run: StoredRun, changes: Partial<RunRow> & Pick<RunRow, "status">): void {
    this.release(run);
    this.#waitForNothing(run);
    this.space.outbox.delete(run.row.runId);
    run.expiresAt = this.now + run.ttl;
    this.change(run, { suspendedAt: null, ...changes, endedAt: this.now, continuationAt: null });
    for (const [waiting, wait] of this.waitsFor("child", run.row.runId)) {
      this.endWait(waiting, wait, childEnding(run.row));
      this.wake(waiting);
    }
  }

  /** Ends a run as cancelled, and all below it that end with their parents. */
  cancel(run: StoredRun, reason: string, breach?: PolicyBreach): void {
    const data = JSON.stringify(cancellationData(reason, this.now, breach));
    const ofParent = JSON.stringify(cancellationData(PARENT_CANCELLED, this.now));
    for (const each of this.#family(run)) {
      this.end(each, { status: "cancelled", cancellation: each === run ? data : ofParent });
    }
  }

  /** Asks a run, and all below it that end with their parents, to end after their compensations. */
  askToEnd(run: StoredRun, reason: string): void {
    const data = JSON.stringify(cancellationData(reason, this.now));
    const ofParent = JSON.stringify(cancellationData(PARENT_CANCELLED, this.now));
    for (const each of this.#family(run)) {
      if (each.row.cancelRequested !== CANCEL.NOT_ASKED) continue;
      this.change(each, { cancelRequested: CANCEL.ASKED, cancellation: each === run ? data : ofParent });
      if (!this.isHeld(each)) this.endAsAsked(each);
    }
  }

  /** Has a run that was asked to end go on to do so. */
  endAsAsked(run: StoredRun): void {
    this.release(run);
    this.#waitForNothing(run);
    this.change(run, AT_LARGE);
    this.goOn(run, "manual", this.now);
  }

  /** Asks what ends with a run that has ended as cancelled. */
  askChildren(run: StoredRun): void {
    for (const child of this.#childrenOf(run)) this.askToEnd(child, PARENT_CANCELLED);
  }

  /** Cancels a run whose limit has run out; `false` when none has. */
  cancelByPolicy(run: StoredRun): boolean {
    const wokenAt = Math.min(...[...run.waits.values()].map(overAt));
    const breach = policyBreach(policyOf(run), wokenAt, this.now);
    if (breach !== undefined) this.cancel(run, breach.policy, breach);
    return breach !== undefined;
  }

  /** When time alone has a suspended run go on. */
  nextDue(run: StoredRun): number | null {
    const due = Math.min(policyEnd(policyOf(run)), ...[...run.waits.values()].map(overAt));
    return Number.isFinite(due) ? due : null;
  }

  /** The waits of one kind for one topic that are not over, over all runs, in the order in which they were stored. */
  waitsFor(kind: "event" | "child", topic: string): (readonly [StoredRun, StoredWait])[] {
    return [...this.space.runs.values()]
      .flatMap((run) => [...run.waits.values()].map((wait) => [run, wait] as const))
      .filter(([, wait]) => wait.kind === kind && wait.topic === topic && overAt(wait) > this.now)
      .sort(([, one], [, other]) => one.sequence - other.sequence);
  }

  endWait(run: StoredRun, wait: StoredWait, ending: string): void {
    run.waits.set(wait.step, { ...wait, ending, endedAt: this.now });
  }

  /** Something that the run waited for is over: unless it is on its way already, it goes on. */
  wake(run: StoredRun): void {
    if (run.row.status !== "suspended") return;
    const { continuationAt } = run.row;
    if (continuationAt === null || continuationAt > this.now) this.goOn(run, "event", this.now);
    else this.change(run, {});
  }

  stateOf(run: StoredRun): RunState {
    const lease = run.leaseEndsAt === null ? null : this.now + run.leaseEndsAt - this.at.monotonic;
    const waits = inOrderShown([...run.waits.values()]);
    return toRunState({ ...run.row, leaseUntil: lease }, countSteps([...run.steps.values()]), waits);
  }

  /** Tells watchers of what was changed, once for each run; the last thing a call does. */
  announce(): void {
    for (const run of this.#changed) {
      for (const watch of [...(this.space.watches.get(run.row.runId) ?? [])]) this.tell(run, watch);
    }
    this.#changed.clear();
  }

  /** Tells one watcher of the state of a run. */
  tell(run: StoredRun, watch: PushIterator<RunState>): void {
    watch.push(this.stateOf(run));
    if (hasRunEnded(run.row.status)) watch.end();
  }

  #waitForNothing(run: StoredRun): void {
    run.waits.clear();
    run.taskEnds.clear();
  }

  /** The run and, below it, those that end with their parents and have not ended; parents first. */
  #family(run: StoredRun): readonly StoredRun[] {
    const family = new Set([run]);
    for (const each of family) for (const child of this.#childrenOf(each)) family.add(child);
    return [...family];
  }

  #childrenOf(run: StoredRun): StoredRun[] {
    return [...this.space.runs.values()].filter(
      ({ row, endsWithParent }) => endsWithParent && row.parentRunId === run.row.runId && !hasRunEnded(row.status),
    );
  }
}

function policyOf(run: StoredRun): PolicyFacts {
  const { createdAt, suspendedAt, policy } = run.row;
  return { createdAt, suspendedAt, ...readPolicy(policy) };
}
