import type { WorkflowCancellationPolicy } from "../contracts/workflow-store.ts";
import type { Milliseconds } from "../core/duration.ts";
import type { JsonObject } from "../core/json.ts";
import type { WorkflowRef } from "./workflow-refs.ts";
import type { WorkflowResult } from "./workflow-result.ts";

/** What may be said about a run that is started. */
export interface StartOptions<Params extends object = JsonObject> {
  /** @defaultValue `{}` */
  readonly params?: Params;
  /**
   * Names the run; starting a second one of the same id throws `DuplicateRunError`. At most 100 characters, and no slash.
   *
   * @defaultValue a new UUID version 7
   */
  readonly runId?: string;
  readonly parentRunId?: string;
  /** How long the run is kept after its end. @defaultValue the store's `defaultRunTtl` */
  readonly ttl?: Milliseconds;
  readonly cancellationPolicy?: WorkflowCancellationPolicy;
  /** Kept with the run, apart from its parameters. */
  readonly metadata?: JsonObject;
}

/** How long to wait for a run. */
export interface CompletionOptions {
  /** Without it, the wait ends with the run only. */
  readonly timeout?: Milliseconds;
}

/** Whatever runs can be started through: a `WorkflowRuntime`, or a `StemWorkflowApp`. */
export interface WorkflowStarter {
  startWorkflow<Params extends object>(
    workflow: string | WorkflowRef<Params>,
    options?: StartOptions<Params>,
  ): Promise<string>;
  waitForCompletion<Result>(runId: string, options?: CompletionOptions): Promise<WorkflowResult<Result> | null>;
}

/** The typed door to one workflow. */
export class WorkflowHandle<Params extends object, Result> implements WorkflowRef<Params, Result> {
  declare readonly types?: Readonly<{ params: Params; result: Result }>;
  readonly name: string;
  readonly version: number;

  constructor(name: string, version: number) {
    this.name = name;
    this.version = version;
  }

  /** Starts a run of this version. Resolves to its id. */
  start(through: WorkflowStarter, options?: StartOptions<Params>): Promise<string> {
    return through.startWorkflow<Params>(this, options);
  }

  /** Waits for a run; `null` when there is none of this id. */
  waitFor(
    through: WorkflowStarter,
    runId: string,
    options?: CompletionOptions,
  ): Promise<WorkflowResult<Result> | null> {
    return through.waitForCompletion<Result>(runId, options);
  }

  /** Names this workflow without its code. */
  ref(): WorkflowRef<Params, Result> {
    return Object.freeze({ name: this.name, version: this.version });
  }
}
