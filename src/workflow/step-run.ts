import type { CheckpointKind, StepWrite } from "../contracts/workflow-store.ts";
import { type JsonValue, stringifyJson } from "../core/json.ts";
import { mayRetry, type ResolvedRetryPolicy, retryDelay } from "../core/retry-policy.ts";
import { StepFailedError } from "../workflow-errors.ts";
import { DEFAULT_STEP_RETRIES } from "./step-retries.ts";
import { createStepContext } from "./step-context.ts";
import { toStepError } from "./step-error.ts";
import type { StepKey } from "./step-names.ts";
import type { WorkflowStepContext } from "./workflow-definition.ts";
import type { WorkflowPass } from "./workflow-pass.ts";

/** One step to be run. */
export interface StepRun {
  readonly key: StepKey;
  readonly kind: CheckpointKind & ("step" | "compensation");
  readonly run: (context: WorkflowStepContext) => unknown;
  readonly retryPolicy: ResolvedRetryPolicy;
  readonly previousResult: JsonValue;
  /** Gets the checkpoint instead of having it stored at once. */
  readonly hold?: (step: StepWrite) => void;
}

/**
 * Runs the function of a step that is not recorded, and records what it came to. Resolves to the recorded value, throws
 * `StepFailedError` when it has failed for good, and does not come back when it waits or is tried again later.
 */
export async function runStep(pass: WorkflowPass, step: StepRun): Promise<JsonValue> {
  const { clock } = pass.parts;
  const { key, kind } = step;
  const retry = pass.waitOf(key.name);
  if (retry?.resumeAt !== undefined && retry.resumeAt.getTime() > clock.now()) return pass.park();
  const failures = retry?.attempts ?? 0;
  const startedAt = new Date(clock.now());
  const end = pass.begin();
  let hasParked = false;
  const onPark = (): void => {
    hasParked = true;
    end();
  };
  pass.parts.emit({ type: "step-started", step: key.name, attempt: failures });
  let write: StepWrite;
  try {
    const context = createStepContext(pass, { key, attempt: failures, previousResult: step.previousResult, onPark });
    const value = toStored(await step.run(context));
    write = { ...key, kind, value, attempts: failures + 1, startedAt };
  } catch (thrown) {
    if (pass.isOver || hasParked) return never();
    const failed = { ...step, attempts: failures + 1, startedAt };
    const stored = toFailure(pass, failed, thrown);
    if (stored === undefined) {
      end();
      return never();
    }
    write = stored;
  }
  // A function that goes on after it was told to wait has no say any more.
  if (pass.isOver || hasParked) return never();
  if (step.hold !== undefined && write.error === undefined) step.hold(write);
  else write = await store(pass, write);
  end();
  if (write.error !== undefined) throw new StepFailedError(key.name, write.error.type, write.error.message);
  pass.parts.emit({ type: "step-completed", step: key.name, replayed: false });
  return write.value;
}

/** A result that cannot be stored is a failure for good: it would be the same again. */
async function store(pass: WorkflowPass, write: StepWrite): Promise<StepWrite> {
  try {
    await pass.save(write);
    return write;
  } catch (thrown) {
    const failure = { ...write, value: null, error: { ...toStepError(thrown), retryable: false } };
    await pass.save(failure);
    return failure;
  }
}

/** What is stored when a step has failed for good; otherwise it is tried again later, and there is nothing to store. */
function toFailure(
  pass: WorkflowPass,
  { key, kind, retryPolicy, attempts, startedAt }: StepRun & { readonly attempts: number; readonly startedAt: Date },
  thrown: unknown,
): StepWrite | undefined {
  const { clock, randomness, emit } = pass.parts;
  const error = toStepError(thrown);
  if (!mayRetry(retryPolicy, error.type, attempts - 1, retryPolicy.maxRetries ?? DEFAULT_STEP_RETRIES)) {
    emit({ type: "step-failed", step: key.name, error });
    return { ...key, kind, value: null, error: { ...error, retryable: false }, attempts, startedAt };
  }
  const delay = retryDelay(retryPolicy, attempts - 1, () => randomness.number());
  const resumeAt = new Date(clock.now() + delay);
  emit({ type: "step-retrying", step: key.name, error, attempt: attempts, resumeAt });
  void pass.park({ step: key.name, kind: "retry", resumeAt, attempts, error });
  return undefined;
}

/** A copy as it will be read: what a step returns is the same in the pass that ran it and in those that read it. */
function toStored(result: unknown): JsonValue {
  if (result === undefined) return null;
  return JSON.parse(stringifyJson(result, "result")) as JsonValue;
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}
