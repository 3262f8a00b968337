import type { CheckpointKind, NewWait, StepWrite } from "../contracts/workflow-store.ts";
import { type JsonValue, stringifyJson } from "../core/json.ts";
import { mayRetry, type ResolvedRetryPolicy, retryDelay } from "../core/retry-policy.ts";
import { StepFailedError } from "../error-workflow.ts";
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
  /** A run that fails meanwhile is undone only when this has ended. */
  readonly isUndoable?: boolean;
  /** Gets the checkpoint instead of having it stored at once. */
  readonly hold?: (step: StepWrite) => void;
}

/** A step that is tried again at `resumeAt`. */
type Retry = NewWait & Readonly<{ kind: "retry"; resumeAt: Date; attempts: number }>;

/**
 * Runs the function of a step that is not recorded, and records what it came to. Resolves to the recorded value, throws
 * `StepFailedError` when it has failed for good, and does not come back when it waits or is tried again in another pass.
 */
export async function runStep(pass: WorkflowPass, step: StepRun): Promise<JsonValue> {
  const { key } = step;
  const known = pass.waitOf(key.name);
  if (known?.resumeAt !== undefined && known.resumeAt.getTime() > pass.parts.clock.now()) {
    await goOnAt(pass, step, known.resumeAt);
  }
  let end = await runOnce(pass, step, known?.attempts ?? 0);
  while (end.kind === "retry") {
    await goOnAt(pass, step, end.resumeAt, end);
    end = await runOnce(pass, step, end.attempts);
  }
  const { error, value } = end;
  if (error !== undefined) throw new StepFailedError(key.name, error.type, error.message);
  pass.parts.emit({ type: "step-completed", step: key.name, replayed: false });
  return value;
}

/** Waits for the next attempt, which something else in this pass may last longer than. */
async function goOnAt(pass: WorkflowPass, { kind }: StepRun, at: Date, wait?: Retry): Promise<void> {
  await pass.parkUntil(at, wait);
  if (pass.isOver) await never();
  if (kind === "step") pass.checkGoingOn();
}

/** One attempt, and what was stored of it; a failed one that is followed by another is not. */
async function runOnce(pass: WorkflowPass, step: StepRun, failures: number): Promise<StepWrite | Retry> {
  const { key, kind } = step;
  const startedAt = new Date(pass.parts.clock.now());
  const end = pass.begin(step.isUndoable === true);
  let hasParked = false;
  const onPark = (): void => {
    hasParked = true;
    end();
  };
  pass.parts.emit({ type: "step-started", step: key.name, attempt: failures });
  // Whoever is told that it starts may have ended the pass.
  if (pass.isOver) return never();
  let write: StepWrite | Retry;
  const facts = { key, attempt: failures, previousResult: step.previousResult, onPark };
  const { context, close } = createStepContext(pass, facts);
  try {
    const value = toStored(await pass.callStep(() => step.run(context)));
    write = { ...key, kind, value, attempts: failures + 1, startedAt };
  } catch (thrown) {
    if (pass.isOver || hasParked) return never();
    write = afterFailure(pass, { ...step, attempts: failures + 1, startedAt }, thrown);
  }
  // A function that goes on after it was told to wait has no say any more.
  if (pass.isOver || hasParked) return never();
  close();
  if (write.kind !== "retry") {
    if (step.hold !== undefined && write.error === undefined) step.hold(write);
    else write = await store(pass, write);
  }
  end();
  return write;
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

/** What is stored when a step has failed for good, or when it is tried again. */
function afterFailure(
  pass: WorkflowPass,
  { key, kind, retryPolicy, attempts, startedAt }: StepRun & { readonly attempts: number; readonly startedAt: Date },
  thrown: unknown,
): StepWrite | Retry {
  const { clock, randomness, emit } = pass.parts;
  const error = toStepError(thrown);
  if (!mayRetry(retryPolicy, error.type, attempts - 1, retryPolicy.maxRetries ?? DEFAULT_STEP_RETRIES)) {
    emit({ type: "step-failed", step: key.name, error });
    return { ...key, kind, value: null, error: { ...error, retryable: false }, attempts, startedAt };
  }
  const delay = retryDelay(retryPolicy, attempts - 1, () => randomness.number());
  const resumeAt = new Date(clock.now() + delay);
  emit({ type: "step-retrying", step: key.name, error, attempt: attempts, resumeAt });
  return { step: key.name, kind: "retry", resumeAt, attempts, error };
}

/** A copy as it will be read: what a step returns is the same in the pass that ran it and in those that read it. */
function toStored(result: unknown): JsonValue {
  if (result === undefined) return null;
  return JSON.parse(stringifyJson(result, "result")) as JsonValue;
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}
