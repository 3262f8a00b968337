import type { TaskError } from "../contracts/result-backend.ts";
import type { JsonValue } from "../core/json.ts";
import type { ResolvedRetryPolicy } from "../core/retry-policy.ts";
import { StepFailedError, WorkflowFailedError } from "../error-workflow.ts";
import { FAILURE_NAME } from "./run-failure.ts";
import { innerName, plainKey, type StepKey } from "./step-names.ts";
import { runStep } from "./step-run.ts";
import { toStepError } from "./step-error.ts";
import type { PassEnd } from "./pass-parts.ts";
import type { WorkflowStepContext } from "./workflow-definition.ts";
import type { WorkflowPass } from "./workflow-pass.ts";

/** How one completed step is undone. */
export interface Compensation {
  readonly key: StepKey;
  readonly compensate: (context: WorkflowStepContext, result: never) => unknown;
  readonly value: JsonValue;
  readonly retryPolicy: ResolvedRetryPolicy;
}

/** Undoes the completed steps of a run that has failed, the last one first. */
export class Compensations {
  readonly #pass: WorkflowPass;
  readonly #known: Compensation[] = [];

  constructor(pass: WorkflowPass) {
    this.#pass = pass;
  }

  /** To be called in the order in which the steps completed. */
  add(compensation: Compensation): void {
    this.#known.push(compensation);
  }

  /**
   * Resolves to the end of the run once everything is undone. That the run has failed is recorded first, so that it goes
   * no other way after a crash. A compensation that fails for good is recorded, and the others run all the same.
   */
  async fail(thrown: unknown): Promise<PassEnd> {
    const pass = this.#pass;
    const error = pass.recorded(FAILURE_NAME)?.error ?? toFailure(thrown);
    await pass.finishSteps(error);
    if (this.#known.length === 0) return { kind: "failed", error };
    if (pass.recorded(FAILURE_NAME) === undefined) {
      const key = plainKey(FAILURE_NAME);
      const startedAt = new Date(pass.parts.clock.now());
      await pass.save({ ...key, kind: "failure", value: null, error, attempts: 1, startedAt });
    }
    const failures: string[] = [];
    for (const compensation of this.#known.toReversed()) {
      if (!(await this.#undo(compensation))) failures.push(compensation.key.name);
    }
    if (failures.length === 0) return { kind: "failed", error };
    return { kind: "failed", error: { ...error, meta: { ...error.meta, uncompensated: failures } } };
  }

  async #undo({ key, compensate, value, retryPolicy }: Compensation): Promise<boolean> {
    const pass = this.#pass;
    const undoing = plainKey(innerName(key, "compensation"));
    const entry = pass.recorded(undoing.name);
    if (entry !== undefined) return entry.error === undefined;
    const run = (context: WorkflowStepContext): unknown => compensate(context, value as never);
    try {
      await runStep(pass, { key: undoing, kind: "compensation", run, retryPolicy, previousResult: value });
      return true;
    } catch (error) {
      if (!(error instanceof StepFailedError)) throw error;
      const { runId } = pass.parts.run;
      pass.parts.logger.log("error", "A step could not be undone.", { runId, step: key.name, error });
      return false;
    }
  }
}

/** What a run is recorded to have failed by; a step that it failed by is named, so that resuming tries it again. */
function toFailure(thrown: unknown): TaskError {
  const error = { ...toStepError(thrown), retryable: false };
  const isOfStep = thrown instanceof StepFailedError || thrown instanceof WorkflowFailedError;
  const step = isOfStep ? thrown.details["step"] : undefined;
  return typeof step === "string" ? { ...error, meta: { ...error.meta, failedStep: step } } : error;
}
