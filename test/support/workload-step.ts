import type { DatabaseContent } from "./history-content.ts";
import type { WorkloadModel } from "./workload-model.ts";
import type { WorkloadSession } from "./workload-session.ts";

export const NAMESPACES: readonly string[] = ["red", "blue"];
export const QUEUES: readonly string[] = ["q0", "q1", "q2"];

/** What a step of a workload may use. */
export interface WorkloadScope {
  readonly session: WorkloadSession;
  readonly model: WorkloadModel;
  /** Subscriptions of the consumers that run. */
  readonly subscriptions: Set<number>;
  /** What the last commit made of the database. */
  readonly content: DatabaseContent;
  /** An id that no message had before. */
  nextId(): string;
  /** Fails the run when the library answered wrongly: a crash test over a broken recording says nothing. */
  expect<T>(actual: T, expected: T): void;
}

/** One thing a workload does. Steps of one turn share a commit; an `alone` step does not share its turn. */
export interface WorkloadStep {
  readonly name: string;
  readonly weight: number;
  readonly alone?: boolean;
  run(scope: WorkloadScope): Promise<void>;
}
