import type { EnqueueRequest } from "../contracts/task-enqueuer.ts";
import { TASK_ENDED_TASK, WORKFLOW_META_KEYS } from "../core/workflow-continuation.ts";
import type { JsonObject } from "../core/json.ts";
import { InvalidOptionError, TimeoutError } from "../errors.ts";
import { deadlineOf } from "./pass-waits.ts";
import type { Milliseconds } from "../core/duration.ts";
import type { TaskOutcome } from "./workflow-definition.ts";
import type { WorkflowPass } from "./workflow-pass.ts";

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
  const { run, clock, enqueuer } = pass.parts;
  const resumeAt = deadlineOf(options, clock.now());
  const isRecorded = (await pass.ask(name, "tasks")) !== undefined;
  if (!isRecorded && requests.length > 0) {
    if (pass.waitOf(name) === undefined) {
      const end = pass.begin();
      const calls = requests.map((request, index) => followed(pass, name, request, index));
      try {
        await enqueuer.enqueueAll(calls, true);
      } finally {
        end();
      }
    }
    const wait = {
      step: name,
      kind: "tasks",
      expected: requests.length,
      ...(resumeAt === undefined ? {} : { resumeAt }),
    };
    return pass.park(pass.waitOf(name) === undefined ? { ...wait, kind: "tasks" } : undefined);
  }
  const resumed = pass.recorded(name)?.value as { kind?: string } | undefined;
  if (resumed?.kind === "deadline") throw new TimeoutError(`The tasks of step "${name}"`, options.timeout ?? 0);
  return requests.map((_, index): TaskOutcome => {
    const entry = pass.recorded(`${name}/${index}`);
    const taskId = taskIdOf(run.runId, name, index);
    if (entry === undefined) return { taskId, status: "failed", value: null };
    if (entry.error !== undefined) return { taskId, status: "failed", value: null, error: entry.error };
    return { taskId, status: "succeeded", value: entry.value };
  });
}

/** The task with an id of its own, and what tells the run of its end. */
function followed(
  pass: WorkflowPass,
  step: string,
  request: EnqueueRequest,
  index: number,
): EnqueueRequest & { readonly id: string } {
  const { run } = pass.parts;
  const id = taskIdOf(run.runId, step, index);
  const told = (outcome: "succeeded" | "failed"): EnqueueRequest => ({
    name: TASK_ENDED_TASK,
    args: { runId: run.runId, step, index, taskId: id, outcome },
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

function taskIdOf(runId: string, step: string, index: number): string {
  return `${runId}/${step}/${index}`;
}
