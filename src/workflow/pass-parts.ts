import type { TaskError } from "../contracts/result-backend.ts";
import type { NewWait, RunClaim, RunState, WorkflowStepEntry, WorkflowWait } from "../contracts/workflow-store.ts";
import type { WorkflowStore } from "../contracts/workflow-store.ts";
import type { Clock } from "../contracts/clock.ts";
import type { IdSource, Randomness } from "../contracts/identity.ts";
import type { Logger } from "../contracts/logger.ts";
import type { Milliseconds } from "../core/duration.ts";
import type { ResolvedRetryPolicy } from "../core/retry-policy.ts";
import type { StepEnqueuer } from "./step-enqueuer.ts";
import type { AnyWorkflowDefinition, ChildOptions } from "./workflow-definition.ts";
import type { WorkflowEventInput } from "./workflow-events.ts";
import type { NewRun } from "../contracts/workflow-store.ts";
import type { WorkflowRef } from "./workflow-refs.ts";

/** How one pass through the code of a workflow ended. */
export type PassEnd =
  /** The end of the run is stored already. */
  | { readonly kind: "completed" }
  | { readonly kind: "failed"; readonly error: TaskError }
  | { readonly kind: "suspended"; readonly waits: readonly NewWait[] }
  /** The claim is no longer ours: nothing more may be stored. */
  | { readonly kind: "lost" }
  /** The worker stops, or the time of the run is over: somebody else finds out. */
  | { readonly kind: "released"; readonly error?: TaskError };

/** What a {@link WorkflowPass} works with. */
export interface PassParts {
  readonly definition: AnyWorkflowDefinition;
  readonly claim: RunClaim;
  readonly run: RunState;
  readonly steps: readonly WorkflowStepEntry[];
  readonly waits: readonly WorkflowWait[];
  readonly store: WorkflowStore;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly randomness: Randomness;
  readonly logger: Logger;
  readonly leaseDuration: Milliseconds;
  readonly stepRetryPolicy: ResolvedRetryPolicy;
  readonly enqueuer: StepEnqueuer;
  /** A run of another workflow, to be created by this one. */
  readonly newChild: (ref: WorkflowRef<never>, params: unknown, options: ChildOptions) => NewRun;
  readonly emit: (event: WorkflowEventInput) => void;
  /** Fires when the message of the run is no longer ours, or the worker stops. */
  readonly signal: AbortSignal;
}
