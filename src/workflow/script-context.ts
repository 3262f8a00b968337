import type { StepWrite } from "../contracts/workflow-store.ts";
import type { JsonValue } from "../core/json.ts";
import { checkBoolean, mergeOptions } from "../core/options.ts";
import { resolveRetryPolicy, type TaskRetryPolicy } from "../core/retry-policy.ts";
import { InvalidOptionError } from "../errors.ts";
import { StepFailedError } from "../error-workflow.ts";
import type { Compensation, Compensations } from "./compensations.ts";
import { createFacts } from "./pass-facts.ts";
import { awaitChild } from "./pass-child.ts";
import { awaitTasks } from "./pass-tasks.ts";
import { createWaits } from "./pass-waits.ts";
import { checkStepName } from "./step-names.ts";
import { runStep } from "./step-run.ts";
import type { StepOptions, WorkflowFacts, WorkflowScriptContext, WorkflowStepContext } from "./workflow-definition.ts";
import type { WorkflowPass } from "./workflow-pass.ts";
import type { WorkflowRef } from "./workflow-refs.ts";

/** What the code of one pass is run with. */
export interface ScriptParts {
  readonly pass: WorkflowPass;
  readonly compensations: Compensations;
  /** Gets the checkpoint of a step that is the last one, to be stored with the end of the run. */
  readonly hold: (step: StepWrite) => void;
}

/** For flows: whether a step is the last one. */
export const IS_LAST: unique symbol = Symbol("is last");

const STEP_DEFAULTS: Readonly<Record<keyof StepOptions, unknown>> = {
  autoVersion: false,
  retryPolicy: undefined,
  compensate: undefined,
  title: undefined,
  kind: undefined,
  taskNames: undefined,
  metadata: undefined,
};

/** Builds what the body of a workflow sees. The functions need no `this`. */
export function createScriptContext({ pass, compensations, hold }: ScriptParts): WorkflowScriptContext {
  let previousResult: JsonValue = null;

  /** Nobody may be there to handle a failure, such as of the loser of a race: that must not end the program. */
  const call = <T>(work: () => Promise<T>): Promise<T> => {
    const end = work();
    end.catch(() => undefined);
    return end;
  };

  const step = async (
    name: string,
    run: (context: WorkflowStepContext) => unknown,
    options: StepOptions<never> & { readonly [IS_LAST]?: boolean } = {},
  ): Promise<JsonValue> => {
    pass.checkOutside();
    const { autoVersion, retryPolicy, compensate } = checkStep(name, run, options);
    const key = pass.keyOf(name, autoVersion);
    const policy = retryPolicy === undefined ? pass.parts.stepRetryPolicy : resolveRetryPolicy(retryPolicy);
    const entry = await pass.ask(key.name, "step");
    if (entry?.error !== undefined) throw new StepFailedError(key.name, entry.error.type, entry.error.message);
    if (entry !== undefined) pass.parts.emit({ type: "step-completed", step: key.name, replayed: true });
    const isLast = options[IS_LAST] === true && compensate === undefined;
    const value =
      entry?.value ??
      (entry === undefined
        ? await runStep(pass, {
            key,
            kind: "step",
            run,
            retryPolicy: policy,
            previousResult,
            isUndoable: compensate !== undefined,
            ...(isLast ? { hold } : {}),
          })
        : null);
    if (compensate !== undefined) compensations.add({ key, compensate, value, retryPolicy: policy });
    previousResult = value;
    return value;
  };

  const waits = createWaits(pass, { nameOf: (what) => pass.keyOf(`/${what}`, true).name });
  const named = (name: string): string => {
    pass.checkOutside();
    return checkStepName(name);
  };
  const functions: Omit<WorkflowScriptContext, keyof WorkflowFacts> = {
    sleep: (...given) => call(() => waits.sleep(...given)),
    suspendFor: (...given) => call(() => waits.suspendFor(...given)),
    awaitEvent: (...given) => call(() => waits.awaitEvent(...given)) as never,
    waitForEvent: (...given) => call(() => waits.waitForEvent(...given)) as never,
    step: ((...given: Parameters<typeof step>) => call(() => step(...given))) as WorkflowScriptContext["step"],
    child: (name, workflow, params, options) =>
      call(async () => awaitChild(pass, named(name), workflow as WorkflowRef<never>, params, options)) as never,
    tasks: (name, requests, options) => call(async () => awaitTasks(pass, named(name), requests, options)),
    patched: (change) => call(() => isPatched(pass, change)),
  };
  return Object.assign(createFacts(pass, "run"), functions);
}

/** A marker says that the run has come by the changed code; without one, whoever has been further has not. */
async function isPatched(pass: WorkflowPass, change: string): Promise<boolean> {
  const baseName = `/patch/${checkStepName(change)}`;
  if (pass.recorded(baseName) !== undefined) return true;
  if (pass.isReplaying || pass.isOver) return false;
  const startedAt = new Date(pass.parts.clock.now());
  await pass.save({ name: baseName, baseName, kind: "patch", value: true, attempts: 1, startedAt });
  return true;
}

function checkStep(
  name: string,
  run: unknown,
  given: StepOptions<never>,
): Readonly<{ autoVersion: boolean; retryPolicy?: TaskRetryPolicy; compensate?: Compensation["compensate"] }> {
  checkStepName(name);
  if (typeof run !== "function") throw new InvalidOptionError("run", run, "a function");
  const { [IS_LAST]: _, ...rest } = given as StepOptions & { [IS_LAST]?: boolean };
  const merged = mergeOptions(STEP_DEFAULTS, rest as Partial<typeof STEP_DEFAULTS>);
  checkBoolean("autoVersion", merged["autoVersion"]);
  const { compensate } = merged;
  if (compensate !== undefined && typeof compensate !== "function") {
    throw new InvalidOptionError("compensate", compensate, "a function");
  }
  return merged as ReturnType<typeof checkStep>;
}
