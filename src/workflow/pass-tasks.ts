import type { TaskStatus } from "../contracts/result-backend.ts";
import type { EnqueueRequest } from "../contracts/task-enqueuer.ts";
import type { RunState, TaskEnd } from "../contracts/workflow-store.ts";
import { isTerminal } from "../core/task-state.ts";
import { TASK_ENDED_TASK, WORKFLOW_META_KEYS } from "../core/workflow-continuation.ts";
import type { JsonObject } from "../core/json.ts";
import { InvalidOptionError, StemError, TimeoutError } from "../errors.ts";
import { deadlineOf } from "./pass-waits.ts";
import type { Milliseconds } from "../core/duration.ts";
import { StepFailedError } from "../error-workflow.ts";
import { toStepError } from "./step-error.ts";
import { plainKey, taskPrefix } from "./step-names.ts";
import { waitEndOf } from "./wait-end.ts";
import type { TaskOutcome } from "./workflow-definition.ts";
import type { WorkflowPass } from "./workflow-pass.ts";

const UNKNOWN_FAILURE = { type: "TaskFailed", message: "The task failed.", retryable: false, meta: {} } as const;
/** Most tasks that one step may wait for. */
const MAX_TASKS = 10_000;

/** Enqueues tasks, each followed by a message to the run that it has ended, and waits until all have. */
export async function awaitTasks(
  pass: WorkflowPass,
  name: string,
  requests: readonly EnqueueRequest[],
  options: Readonly<{ timeout?: Milliseconds }> = {},
): Promise<readonly TaskOutcome[]> {
  if (!Array.isArray(requests) || requests.length > MAX_TASKS) {
    throw new InvalidOptionError("requests", requests, `an array of at most ${MAX_TASKS} tasks`);
  }
  const resumeAt = deadlineOf(options, pass.parts.clock.now());
  const entry = await pass.ask(name, "tasks");
  if (entry === undefined) {
    if (requests.length === 0) return [];
    if (pass.waitOf(name) !== undefined) return pass.park();
    await enqueueAll(pass, name, requests);
    const wait = { step: name, kind: "tasks", expected: requests.length } as const;
    return pass.park(resumeAt === undefined ? wait : { ...wait, resumeAt });
  }
  if (entry.error !== undefined) throw new StepFailedError(name, entry.error.type, entry.error.message);
  const resumed = waitEndOf(entry);
  if (resumed.outcome !== "tasks") throw new TimeoutError(`Step "${name}"`, options.timeout ?? 0);
  return resumed.ends.map(({ value, error }, index): TaskOutcome => {
    const taskId = taskIdOf(pass.parts.run, name, index);
    return error === undefined
      ? { taskId, status: "succeeded", value }
      : { taskId, status: "failed", value: null, error };
  });
}

async function enqueueAll(pass: WorkflowPass, name: string, requests: readonly EnqueueRequest[]): Promise<void> {
  const end = pass.begin();
  const startedAt = new Date(pass.parts.clock.now());
  try {
    const calls = requests.map((request, index) => followed(pass, name, request, index));
    const known = await pass.parts.enqueuer.enqueueAll(calls, true);
    await recordKnownEnds(pass, name, known);
  } catch (error) {
    if (!(error instanceof StemError) || (!error.retryable && error.outcome !== "unknown")) {
      const failure = { ...toStepError(error), retryable: false };
      await pass.save({ ...plainKey(name), kind: "tasks", value: null, error: failure, attempts: 1, startedAt });
      throw new StepFailedError(name, failure.type, failure.message);
    }
    // Nothing is wrong with the tasks: the run goes on from here once the stores are well.
    pass.fault(error);
    await new Promise(() => undefined);
  } finally {
    end();
  }
}

/** Tasks that ended before the run came to wait for them tell nobody any more. */
async function recordKnownEnds(
  pass: WorkflowPass,
  step: string,
  known: readonly (TaskStatus | undefined)[],
): Promise<void> {
  const { store, run } = pass.parts;
  const ended = [...known.entries()].filter(([, status]) => status !== undefined && isTerminal(status.state));
  await Promise.all(
    ended.map(([index, status]) => store.recordTaskEnd({ runId: run.runId, step, index, ...taskEndOf(status) })),
  );
}

/** How a task ended, by its status. */
export function taskEndOf(status: TaskStatus | null | undefined): Pick<TaskEnd, "value" | "error"> {
  if (status?.state === "succeeded") return { value: status.payload ?? null };
  return { value: null, error: status?.error ?? UNKNOWN_FAILURE };
}

/** The task with an id of its own, and what tells the run of its end. */
function followed(
  pass: WorkflowPass,
  step: string,
  request: EnqueueRequest,
  index: number,
): EnqueueRequest & { readonly id: string } {
  const { run } = pass.parts;
  const id = taskIdOf(run, step, index);
  const told = (outcome: "succeeded" | "failed"): EnqueueRequest => ({
    name: TASK_ENDED_TASK,
    args: { runId: run.runId, rewinds: run.rewinds, step, index, taskId: id, outcome },
    enqueueOptions: { queue: run.queues.continuationQueue },
  });
  const { enqueueOptions = {}, meta = {} } = request ?? {};
  const facts: JsonObject = {
    [WORKFLOW_META_KEYS.channel]: "execution",
    [WORKFLOW_META_KEYS.name]: run.workflow,
    [WORKFLOW_META_KEYS.runId]: run.runId,
    [WORKFLOW_META_KEYS.step]: step,
  };
  return {
    ...request,
    id,
    meta: { ...meta, ...facts },
    enqueueOptions: {
      ...enqueueOptions,
      queue: enqueueOptions.queue ?? run.queues.executionQueue,
      link: [...(enqueueOptions.link ?? []), told("succeeded")],
      linkError: [...(enqueueOptions.linkError ?? []), told("failed")],
    },
  };
}

function taskIdOf(run: RunState, step: string, index: number): string {
  return `${taskPrefix(run)}/${step}/${index}`;
}
