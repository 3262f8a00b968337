import type { EncodedRun } from "../../../src/core/workflow-checks.ts";
import { DuplicateIdConflictError } from "../../../src/errors.ts";
import { DEFAULT_MAX_PAYLOAD_BYTES } from "../../../src/core/envelope.ts";
import {
  type Continuation,
  type ContinuationReason,
  continuationEnvelope,
  continuationId,
} from "../../../src/core/workflow-continuation.ts";
import { childEnding, overAt } from "../../../src/core/workflow-ends.ts";
import type { RunClaim, WorkflowQueues } from "../../../src/core/workflow-model.ts";
import { readPolicy, type RunRow } from "../../../src/core/workflow-rows.ts";
import {
  CANCEL,
  cancellationData,
  PARENT_CANCELLED,
  type PolicyBreach,
  policyBreach,
  policyEnd,
  type PolicyFacts,
} from "../../../src/core/workflow-rules.ts";
import { RunLeaseLostError } from "../../../src/error-workflow.ts";
import { DELETE_MESSAGE, DROP_CONTINUATION, PUT_CONTINUATION } from "../sql/workflow-outbox.ts";
import { FIND_RUN, INSERT_RUN, LIST_BOUND_CHILDREN, UPDATE_RUN } from "../sql/workflow-runs.ts";
import { DELETE_ALL_TASK_ENDS, DELETE_WAITS, END_WAIT, LIST_WAITS, LIST_WATCHERS } from "../sql/workflow-waits.ts";
import type { OperationScope } from "./operation.ts";
import { storeMessage } from "./publish.ts";
import { toStoredMessage } from "./stored-message.ts";
import type { StoredWait } from "./workflow-waits.ts";
import { signalRun } from "./workflow-watch.ts";

/** Whose runs an operation changes, and where its continuations go. */
export interface WorkflowPlace {
  readonly namespace: string;
  /** Namespace of the broker whose messages they become; null for the outbox. */
  readonly brokerNamespace: string | null;
}

/** What a change of a run has to know of it, and may change. */
type RunFacts = Pick<
  RunRow,
  | "runId"
  | "workflow"
  | "status"
  | "queues"
  | "continuation"
  | "continuationAt"
  | "ownerId"
  | "leaseUntil"
  | "createdAt"
  | "suspendedAt"
  | "endedAt"
  | "cancelRequested"
  | "policy"
  | "cancellation"
  | "lastError"
  | "result"
>;

interface FoundRun extends RunFacts {
  readonly token: number;
  readonly fence: number | null;
  readonly expiresAt: number | null;
  readonly ttl: number;
  readonly sequence: number;
  readonly nextPosition: number;
  readonly recoveries: number;
  readonly rewinds: number;
}

/** A run while it is changed; written once, at the end of the operation. */
export type ChangedRun = { -readonly [Key in keyof FoundRun]: FoundRun[Key] };

type Dispatched = Pick<FoundRun, "runId" | "workflow" | "queues" | "continuation">;

type WatcherRow = StoredWait & { readonly runId: string };

/** A run that goes on by it has never been suspended: it waits for nothing. */
export const FIRST_CONTINUATION = 1;
const NO_LIMIT = { limit: -1, offset: 0 } as const;
/** A message of a user may have the id that a continuation would get. */
const MAX_NUMBERS_TRIED = 100;

/** Changes of the runs of one namespace in one operation, after the manner of those in memory. */
export class RunChanges {
  readonly scope: OperationScope;
  readonly place: WorkflowPlace;
  readonly #runs = new Map<string, ChangedRun>();
  readonly #changed = new Set<ChangedRun>();
  /** Runs whose present message is in the hands of who changes them: it is not to be looked for. */
  readonly #inHand = new Set<ChangedRun>();

  constructor(scope: OperationScope, place: WorkflowPlace) {
    this.scope = scope;
    this.place = place;
  }

  get now(): number {
    return this.scope.now;
  }

  /** Stores a run with its first continuation; `false`, and no effect, when its id is taken. */
  create(run: EncodedRun): boolean {
    const values = { ...run, namespace: this.place.namespace, sequence: this.scope.nextToken(), now: this.now };
    if (this.scope.sql.run(INSERT_RUN, values) === 0) return false;
    const { runId, workflow, queues } = run;
    const started = { runId, workflow, queues, continuation: FIRST_CONTINUATION };
    const continuation = this.#dispatch(started, "start", null);
    if (continuation === FIRST_CONTINUATION) signalRun(this.scope, this.place.namespace, runId);
    else {
      const stored = this.find(runId);
      if (stored !== undefined) this.change(stored, { continuation });
    }
    return true;
  }

  find(runId: string): ChangedRun | undefined {
    const known = this.#runs.get(runId);
    if (known !== undefined) return known;
    const run = this.scope.sql.get<ChangedRun>(FIND_RUN, this.#ref(runId));
    if (run !== undefined) this.#runs.set(runId, run);
    return run;
  }

  /** The run of a claim that may change it. */
  held(claim: RunClaim): ChangedRun {
    const run = this.find(claim.runId);
    const isHeld = run !== undefined && run.token === claim.token && run.ownerId === claim.ownerId;
    if (!isHeld || !this.isHeld(run)) throw new RunLeaseLostError(claim.runId);
    if (run.fence !== null) this.#inHand.add(run);
    return run;
  }

  isHeld(run: ChangedRun): boolean {
    return run.leaseUntil !== null && run.leaseUntil > this.now;
  }

  change(run: ChangedRun, changes: Partial<ChangedRun>): void {
    Object.assign(run, changes);
    this.#changed.add(run);
  }

  /** Whoever holds the run holds it no more, and its claims are worth nothing. */
  release(run: ChangedRun): void {
    this.change(run, { token: this.scope.nextToken(), fence: null, ownerId: null, leaseUntil: null });
  }

  /** Gives the run a new continuation, due at `dueAt`; under way only when that is an instant. */
  goOn(run: ChangedRun, reason: ContinuationReason, dueAt: number | null): void {
    this.#dropContinuation(run);
    this.change(run, { continuation: run.continuation + 1, continuationAt: dueAt });
    if (dueAt === null) return;
    const notBefore = dueAt > this.now ? dueAt : null;
    this.change(run, { continuation: this.#dispatch(run, reason, notBefore) });
  }

  /** Has the run go on from its checkpoints as if it had never ended; it waits for nothing. */
  restart(run: ChangedRun, reason: ContinuationReason): void {
    this.release(run);
    this.#waitForNothing(run);
    this.change(run, { status: "running", suspendedAt: null, endedAt: null, expiresAt: null, recoveries: 0 });
    this.change(run, { result: null, lastError: null, cancellation: null, cancelRequested: CANCEL.NOT_ASKED });
    this.goOn(run, reason, this.now);
  }

  /** Ends a run, and the waits for it. */
  end(run: ChangedRun, changes: Partial<ChangedRun> & Pick<ChangedRun, "status">): void {
    this.release(run);
    this.#waitForNothing(run);
    this.#dropContinuation(run);
    const ended = { endedAt: this.now, expiresAt: this.now + run.ttl, suspendedAt: null, continuationAt: null };
    this.change(run, { ...changes, ...ended });
    for (const wait of this.waitsFor("child", run.runId)) {
      this.endWait(wait.runId, wait, childEnding(run));
      this.wake(wait.runId);
    }
  }

  /** Ends a run as cancelled, and all below it that end with their parents. */
  cancel(run: ChangedRun, reason: string, breach?: PolicyBreach): void {
    const data = JSON.stringify(cancellationData(reason, this.now, breach));
    const ofParent = JSON.stringify(cancellationData(PARENT_CANCELLED, this.now));
    for (const each of this.#family(run)) {
      this.end(each, { status: "cancelled", cancellation: each === run ? data : ofParent });
    }
  }

  /** Asks a run, and all below it that end with their parents, to end after their compensations. */
  askToEnd(run: ChangedRun, reason: string): void {
    const data = JSON.stringify(cancellationData(reason, this.now));
    const ofParent = JSON.stringify(cancellationData(PARENT_CANCELLED, this.now));
    for (const each of this.#family(run)) {
      if (each.cancelRequested !== CANCEL.NOT_ASKED) continue;
      this.change(each, { cancelRequested: CANCEL.ASKED, cancellation: each === run ? data : ofParent });
      if (!this.isHeld(each)) this.endAsAsked(each);
    }
  }

  /** Has a run that was asked to end go on to do so. */
  endAsAsked(run: ChangedRun): void {
    this.release(run);
    this.#waitForNothing(run);
    this.change(run, { status: "running", suspendedAt: null });
    this.goOn(run, "manual", this.now);
  }

  /** Asks what ends with a run that has ended as cancelled. */
  askChildren(run: ChangedRun): void {
    for (const child of this.#childrenOf(run)) this.askToEnd(child, PARENT_CANCELLED);
  }

  /** Cancels a run whose limit has run out; `false` when none has. */
  cancelByPolicy(run: ChangedRun): boolean {
    if (run.policy === null || policyEnd(policyOf(run)) > this.now) return false;
    const wokenAt = Math.min(...this.waitsOf(run).map(overAt));
    const breach = policyBreach(policyOf(run), wokenAt, this.now);
    if (breach !== undefined) this.cancel(run, breach.policy, breach);
    return breach !== undefined;
  }

  /** When time alone has a suspended run with these waits go on. */
  nextDue(run: ChangedRun, waits: readonly StoredWait[]): number | null {
    const due = Math.min(policyEnd(policyOf(run)), ...waits.map(overAt));
    return Number.isFinite(due) ? due : null;
  }

  waitsOf(run: ChangedRun): StoredWait[] {
    return this.scope.sql.all<StoredWait>(LIST_WAITS, this.#ref(run.runId));
  }

  /** The waits of one kind for one topic that are not over, over all runs, in the order in which they were stored. */
  waitsFor(kind: "event" | "child", topic: string): WatcherRow[] {
    const { namespace } = this.place;
    return this.scope.sql.all<WatcherRow>(LIST_WATCHERS, { namespace, kind, topic, now: this.now, ...NO_LIMIT });
  }

  endWait(runId: string, wait: StoredWait, ending: string): void {
    this.scope.sql.run(END_WAIT, { ...this.#ref(runId), step: wait.step, ending, now: this.now });
  }

  /** Something that the run waited for is over: unless it is on its way already, it goes on. */
  wake(runId: string): void {
    const run = this.find(runId);
    if (run?.status !== "suspended") return;
    const { continuationAt } = run;
    if (continuationAt === null || continuationAt > this.now) this.goOn(run, "event", this.now);
    else this.change(run, {});
  }

  /** Writes what was changed and tells watchers, once for each run; the last thing an operation does. */
  save(): void {
    for (const run of this.#changed) {
      this.scope.sql.run(UPDATE_RUN, { ...run, namespace: this.place.namespace, now: this.now });
      signalRun(this.scope, this.place.namespace, run.runId);
    }
    this.#changed.clear();
  }

  #ref(runId: string): Readonly<{ namespace: string; runId: string }> {
    return { namespace: this.place.namespace, runId };
  }

  #waitForNothing(run: ChangedRun): void {
    if (run.continuation > FIRST_CONTINUATION) this.scope.sql.run(DELETE_WAITS, this.#ref(run.runId));
    this.scope.sql.run(DELETE_ALL_TASK_ENDS, this.#ref(run.runId));
  }

  /** Takes the present continuation away from wherever it waits. */
  #dropContinuation(run: ChangedRun): void {
    this.scope.sql.run(DROP_CONTINUATION, this.#ref(run.runId));
    const namespace = this.place.brokerNamespace;
    if (namespace === null || this.#inHand.delete(run)) return;
    const id = continuationId(run.runId, run.continuation);
    this.scope.sql.run(DELETE_MESSAGE, { namespace, id, now: this.now });
  }

  /** Sends the present continuation of a run to where they go. Returns its number: a greater one, where that is taken. */
  #dispatch(run: Dispatched, reason: ContinuationReason, notBefore: number | null): number {
    const { runId, workflow, continuation: number } = run;
    const queues = JSON.parse(run.queues) as WorkflowQueues;
    const queue = number === FIRST_CONTINUATION ? queues.orchestrationQueue : queues.continuationQueue;
    const { brokerNamespace } = this.place;
    if (brokerNamespace === null) {
      const values = { number, reason, workflow, queue, notBefore, sequence: this.scope.nextToken() };
      this.scope.sql.run(PUT_CONTINUATION, { ...this.#ref(runId), ...values });
      return number;
    }
    const due = notBefore === null ? {} : { notBefore: new Date(notBefore) };
    return this.#publish({ runId, number, reason, workflow, queue, ...due }, brokerNamespace);
  }

  #publish(continuation: Continuation, brokerNamespace: string): number {
    const last = continuation.number + MAX_NUMBERS_TRIED - 1;
    for (let { number } = continuation; ; number += 1) {
      const envelope = continuationEnvelope({ ...continuation, number }, this.now);
      try {
        storeMessage(this.scope, brokerNamespace, toStoredMessage(envelope, DEFAULT_MAX_PAYLOAD_BYTES), false);
        return number;
      } catch (error) {
        if (!(error instanceof DuplicateIdConflictError) || number === last) throw error;
      }
    }
  }

  /** The run and, below it, those that end with their parents and have not ended; parents first. */
  #family(run: ChangedRun): readonly ChangedRun[] {
    const family = new Set([run]);
    for (const each of family) for (const child of this.#childrenOf(each)) family.add(child);
    return [...family];
  }

  #childrenOf(run: ChangedRun): ChangedRun[] {
    const rows = this.scope.sql.all<{ runId: string }>(LIST_BOUND_CHILDREN, this.#ref(run.runId));
    const children = rows.map(({ runId }) => this.find(runId)).filter((child) => child !== undefined);
    // One that has ended in this operation is not written yet.
    return children.filter(({ endedAt }) => endedAt === null);
  }
}

function policyOf({ createdAt, suspendedAt, policy }: ChangedRun): PolicyFacts {
  return { createdAt, suspendedAt, ...readPolicy(policy) };
}
