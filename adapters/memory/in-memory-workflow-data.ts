import type { EndedWait } from "../../src/core/workflow-ends.ts";
import type { RunRow, StepRow } from "../../src/core/workflow-rows.ts";
import type { ContinuationReason, RunState } from "../../src/contracts/workflow-store.ts";
import type { PushIterator } from "./push-iterator.ts";

/** A wait as it is kept. */
export interface StoredWait extends EndedWait {
  /** Order of storing, over all runs. */
  readonly sequence: number;
}

/** One run with all that belongs to it. */
export interface StoredRun {
  /** Its lease is in `leaseEndsAt`. */
  row: RunRow;
  readonly ttl: number;
  readonly endsWithParent: boolean;
  /** Events with a greater one were emitted since the run was created. */
  readonly sequence: number;
  /** Fencing token of the latest claim. */
  token: number;
  /** Fencing token of the delivery that the latest claim is for. */
  fence: number | null;
  /** By the monotonic clock; null while nobody holds the run. */
  leaseEndsAt: number | null;
  /** Recoveries in a row that came to nothing. */
  recoveries: number;
  /** Set once it has ended. */
  expiresAt: number | null;
  /** By name, in the order in which they were first stored. */
  readonly steps: Map<string, StepRow>;
  /** By the name of their step, in the order in which they were stored. */
  readonly waits: Map<string, StoredWait>;
  /** Ends of tasks that are waited for, or will be: by step and index. */
  readonly taskEnds: Map<string, Map<number, TaskEndRecord>>;
  /** Sequence of the last event that the run has had, by topic. */
  readonly heard: Map<string, number>;
}

/** How one task has ended. */
export interface TaskEndRecord {
  /** JSON. */
  readonly end: string;
  readonly endedAt: number;
}

/** An event that is kept for runs that will wait for it. */
export interface StoredEvent {
  readonly sequence: number;
  readonly id: string | undefined;
  readonly payload: string;
  readonly emittedAt: number;
  readonly expiresAt: number;
}

/** A continuation that waits to be published. */
export interface StoredContinuation {
  readonly runId: string;
  readonly number: number;
  readonly reason: ContinuationReason;
  readonly workflow: string;
  readonly queue: string;
  readonly notBefore: number | null;
}

/** Everything that is stored in one namespace. */
export class WorkflowNamespace {
  readonly runs: Map<string, StoredRun> = new Map();
  /** By topic, in the order in which they were emitted. */
  readonly events: Map<string, StoredEvent[]> = new Map();
  /** By run, oldest first. */
  readonly outbox: Map<string, StoredContinuation> = new Map();
  /** Open watches by run. */
  readonly watches: Map<string, Set<PushIterator<RunState>>> = new Map();
  #sequence = 0;

  /** A number greater than all before it. */
  next(): number {
    return ++this.#sequence;
  }
}

/** Runs of all namespaces, for several `InMemoryWorkflowStore` handles in one process. */
export class InMemoryWorkflowData {
  readonly #namespaces = new Map<string, WorkflowNamespace>();

  /** @internal */
  namespace(name: string): WorkflowNamespace {
    const known = this.#namespaces.get(name) ?? new WorkflowNamespace();
    this.#namespaces.set(name, known);
    return known;
  }
}

/** An empty store to share between `InMemoryWorkflowStore` handles. */
export function inMemoryWorkflowData(): InMemoryWorkflowData {
  return new InMemoryWorkflowData();
}
