import type { ClaimOutcome, NewRun, RunState } from "../contracts/workflow-store.ts";
import type { TaskContext } from "../contracts/task-handler.ts";
import type { TaskError } from "../contracts/result-backend.ts";
import { RunLeaseLostError, UnknownWorkflowError } from "../error-workflow.ts";
import { whenAborted } from "../runtime/on-abort.ts";
import { repeat } from "../runtime/repeat.ts";
import type { PassEnd, PassParts } from "./pass-parts.ts";
import { runPass } from "./run-pass.ts";
import { StepEnqueuer } from "./step-enqueuer.ts";
import { isPayloadFault, toStepError } from "./step-error.ts";
import type { ResolvedWorkflowRuntimeOptions } from "./workflow-runtime-options.ts";
import type { WorkflowListeners } from "./workflow-listeners.ts";
import type { AnyWorkflowDefinition, ChildOptions } from "./workflow-definition.ts";
import type { WorkflowRef } from "./workflow-refs.ts";

type Claimed = Extract<ClaimOutcome, { kind: "claimed" }>;

/** Pause before a run that nobody here knows, or that met a fault, is tried again. */
const RELEASE_PAUSE_MS = 5_000;
/** Part of the lease after which it is renewed. */
const RENEW_AT = 3;

/** What a {@link RunExecutor} works with. */
export interface RunExecutorParts {
  readonly options: ResolvedWorkflowRuntimeOptions;
  readonly listeners: WorkflowListeners;
  readonly newChild: (parent: RunState, ref: WorkflowRef<never>, params: unknown, options: ChildOptions) => NewRun;
}

/** Goes on with runs: claims one, runs its code as far as it comes, and stores how far that was. */
export class RunExecutor {
  readonly #parts: RunExecutorParts;
  readonly #enqueuer: StepEnqueuer;

  constructor(parts: RunExecutorParts) {
    this.#parts = parts;
    const { stem, backend } = parts.options;
    this.#enqueuer = new StepEnqueuer(stem, backend);
  }

  /** Handles one continuation. Throws for faults of the store only: then its message is delivered again. */
  async execute(context: TaskContext, runId: string, continuation: number): Promise<void> {
    const { store, runtimeId, runLeaseDuration, clock } = this.#parts.options;
    const outcome = await store.claimRun(runId, {
      ownerId: runtimeId,
      leaseDuration: runLeaseDuration,
      continuation,
      ...(context.fence > 0 ? { fence: context.fence } : {}),
    });
    if (outcome.kind === "cancelled") return this.#tellCancelled(outcome.run);
    if (outcome.kind === "busy") {
      const rest = outcome.until.getTime() - clock.now();
      context.retry({ countdown: Math.max(rest, 1) });
    }
    if (outcome.kind === "claimed") await this.#goOn(outcome, context);
  }

  async #goOn(claimed: Claimed, context: TaskContext): Promise<void> {
    const { run } = claimed;
    const { registry } = this.#parts.options;
    const definition = registry.resolve(run.workflow, run.version);
    this.#emit(run, { type: run.continuation === 1 ? "started" : "resumed" });
    const end =
      definition === undefined ? this.#withoutDefinition(run) : await this.#pass(claimed, definition, context);
    try {
      await this.#store(claimed, end);
    } catch (error) {
      if (!(error instanceof RunLeaseLostError)) throw error;
      this.#emit(run, { type: "lease-lost" });
    }
  }

  #withoutDefinition(run: RunState): PassEnd {
    const { registry, unregisteredWorkflow, logger } = this.#parts.options;
    const isKnown = registry.resolve(run.workflow) !== undefined;
    const error = toStepError(new UnknownWorkflowError(run.workflow, isKnown ? run.version : undefined));
    if (unregisteredWorkflow === "fail") return { kind: "failed", error };
    logger.log("warn", "A run waits for a worker that knows its workflow.", {
      runId: run.runId,
      workflow: run.workflow,
    });
    return { kind: "released", error };
  }

  async #pass(
    { claim, run, steps, waits }: Claimed,
    definition: AnyWorkflowDefinition,
    context: TaskContext,
  ): Promise<PassEnd> {
    const { options, newChild } = this.#parts;
    const { store, clock, ids, randomness, logger, runLeaseDuration, stepRetryPolicy } = options;
    const stop = new AbortController();
    const renewal = repeat(() => store.renewRunLease(claim, runLeaseDuration).then(() => undefined), {
      clock,
      interval: Math.ceil(runLeaseDuration / RENEW_AT),
      onError: (error) => {
        if (error instanceof RunLeaseLostError) stop.abort(error);
        else logger.log("warn", "The lease of a run could not be renewed.", { runId: run.runId, error });
      },
    });
    const limit = this.#limitOf(run, () => stop.abort(new Error("The time of the run is over.")));
    // Cheaper than a signal of both, which the garbage collector has to look after.
    const forget = whenAborted(context.signal, () => stop.abort(context.signal.reason));
    const parts: PassParts = {
      definition,
      claim,
      run,
      steps,
      waits,
      store,
      clock,
      ids,
      randomness,
      logger,
      leaseDuration: runLeaseDuration,
      stepRetryPolicy,
      enqueuer: this.#enqueuer,
      newChild: (ref, params, childOptions) => newChild(run, ref, params, childOptions),
      emit: (event) => this.#emit(run, event),
      signal: stop.signal,
    };
    try {
      return await runPass(parts);
    } finally {
      forget();
      limit?.cancel();
      await renewal.stop();
    }
  }

  async #store({ claim, run }: Claimed, end: PassEnd): Promise<void> {
    const { store } = this.#parts.options;
    switch (end.kind) {
      case "completed":
        return this.#emit(run, { type: "completed" });
      case "failed":
        return this.#fail(claim, run, end.error);
      case "suspended":
        try {
          await store.suspend(claim, end.waits);
        } catch (error) {
          if (!isPayloadFault(error)) throw error;
          return this.#fail(claim, run, toStepError(error));
        }
        return this.#emit(run, { type: "suspended" });
      case "released":
        return store.releaseRun(claim, {
          ...(end.error === undefined ? {} : { error: end.error, delay: RELEASE_PAUSE_MS }),
        });
      case "lost":
        return this.#emit(run, { type: "lease-lost" });
    }
  }

  async #fail(claim: Claimed["claim"], run: RunState, error: TaskError): Promise<void> {
    await this.#parts.options.store.markFailed(claim, error);
    if (run.cancelRequested === true) this.#tellCancelled(run);
    else this.#emit(run, { type: "failed", error });
  }

  #limitOf({ createdAt, cancellationPolicy }: RunState, onLimit: () => void): { cancel(): void } | undefined {
    const limit = cancellationPolicy?.maxRunDuration;
    if (limit === undefined) return undefined;
    const { clock } = this.#parts.options;
    return clock.schedule(onLimit, Math.max(0, createdAt.getTime() + limit - clock.now()));
  }

  #tellCancelled(run: RunState): void {
    const reason = run.cancellationData?.["reason"];
    this.#emit(run, { type: "cancelled", reason: typeof reason === "string" ? reason : "cancelled" });
  }

  #emit(run: RunState, event: Parameters<WorkflowListeners["emit"]>[1]): void {
    this.#parts.listeners.emit(run, event);
  }
}
