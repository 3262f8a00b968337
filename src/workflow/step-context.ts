import type { EnqueueOptions } from "../contracts/task-enqueuer.ts";
import { WORKFLOW_META_KEYS } from "../core/workflow-continuation.ts";
import type { JsonValue } from "../core/json.ts";
import { ClosedError } from "../errors.ts";
import { createFacts } from "./pass-facts.ts";
import { createWaits } from "./pass-waits.ts";
import { innerName, type StepKey, taskPrefix, versionedKey } from "./step-names.ts";
import type { ResumeData, WorkflowStepContext } from "./workflow-definition.ts";
import { resumeDataOf } from "./wait-end.ts";
import type { WorkflowPass } from "./workflow-pass.ts";

/** What one run of a step's function is about. */
export interface StepFacts {
  readonly key: StepKey;
  readonly attempt: number;
  readonly previousResult: JsonValue;
  /** Called when the function waits, and is left. */
  readonly onPark: () => void;
}

/**
 * Builds what the function of a step sees. The functions need no `this`; once `close` was called, waiting and enqueuing
 * throw `ClosedError`.
 */
export function createStepContext(
  pass: WorkflowPass,
  { key, attempt, previousResult, onPark }: StepFacts,
): Readonly<{ context: WorkflowStepContext; close: () => void }> {
  const { run, definition, enqueuer } = pass.parts;
  const counts = new Map<string, number>();
  let isClosed = false;
  const nextOf = (what: string): number => {
    if (isClosed) throw new ClosedError(`Step "${key.name}"`);
    const count = counts.get(what) ?? 0;
    counts.set(what, count + 1);
    return count;
  };
  let resumed: ResumeData | null = lastResumed(pass, key);
  let isTaken = false;
  const nameOf = (what: string): string => versionedKey(innerName(key, what), nextOf(what)).name;
  const own = {
    stepName: key.baseName,
    stepIndex: pass.asked - 1,
    iteration: key.iteration ?? 0,
    attempt,
    previousResult,
    takeResumeData() {
      const data = isTaken ? null : resumed;
      isTaken = true;
      resumed = null;
      return data;
    },
    async enqueue(name: string, options: EnqueueOptions = {}) {
      const nextId = `${taskPrefix(run)}/${innerName(key, String(nextOf("task")))}`;
      const id = options.enqueueOptions?.taskId ?? nextId;
      const meta = {
        ...options.meta,
        [WORKFLOW_META_KEYS.channel]: "execution",
        [WORKFLOW_META_KEYS.name]: definition.name,
        [WORKFLOW_META_KEYS.runId]: run.runId,
        [WORKFLOW_META_KEYS.step]: key.baseName,
        [WORKFLOW_META_KEYS.iteration]: key.iteration ?? 0,
      };
      const queue = options.enqueueOptions?.queue ?? run.queues.executionQueue;
      const enqueueOptions = { ...options.enqueueOptions, queue };
      // Whether an earlier run of this function came so far is not known.
      await enqueuer.enqueueAll([{ ...options, id, name, meta, enqueueOptions }], true);
      return id;
    },
  };
  // Literals with spread parts or getters cost tens of microseconds each: V8 makes a shape for every one of them.
  const waits = createWaits(pass, { nameOf, onPark });
  const context = Object.assign(new SignalOfPass(pass), createFacts(pass, key.name), waits, own);
  return { context, close: () => (isClosed = true) };
}

/** Has a signal that is made when it is asked for. */
class SignalOfPass {
  readonly #pass: WorkflowPass;

  constructor(pass: WorkflowPass) {
    this.#pass = pass;
  }

  get signal(): AbortSignal {
    return this.#pass.signal;
  }
}

/** What the last wait that is over, of those inside of a step, came to. */
function lastResumed(pass: WorkflowPass, key: StepKey): ResumeData | null {
  const last = pass.recordedBelow(innerName(key, "")).findLast(({ kind }) => kind === "sleep" || kind === "event");
  return last === undefined ? null : resumeDataOf(last);
}
