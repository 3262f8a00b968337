import { RUN_TASK, TASK_ENDED_TASK } from "../core/workflow-continuation.ts";
import type { TaskContext, TaskHandler } from "../contracts/task-handler.ts";
import type { JsonObject } from "../core/json.ts";
import { checkName } from "../core/names.ts";
import { checkInteger, checkOneOf } from "../core/options.ts";
import type { RunExecutor } from "./run-executor.ts";
import { taskEndOf } from "./pass-tasks.ts";
import type { ResolvedWorkflowRuntimeOptions } from "./workflow-runtime-options.ts";
import type { WorkflowUpkeep } from "./workflow-upkeep.ts";

/** The handlers by which an ordinary worker runs workflows. */
export function workflowTasks(
  options: ResolvedWorkflowRuntimeOptions,
  executor: RunExecutor,
  upkeep: WorkflowUpkeep,
): readonly TaskHandler[] {
  return [runTask(executor, upkeep), taskEndedTask(options, upkeep)];
}

function runTask(executor: RunExecutor, upkeep: WorkflowUpkeep): TaskHandler {
  return Object.freeze({
    name: RUN_TASK,
    options: Object.freeze({}),
    untracked: true,
    async run(context: TaskContext, args: JsonObject) {
      const runId = checkName("run id", args["runId"]);
      const continuation = checkInteger("continuation", args["continuation"], { min: 1, max: Number.MAX_SAFE_INTEGER });
      try {
        await executor.execute(context, runId, continuation);
      } finally {
        await upkeep.published();
      }
    },
  });
}

/** Told once for each task that a run waits for; the result is read where it was stored. */
function taskEndedTask({ store, backend }: ResolvedWorkflowRuntimeOptions, upkeep: WorkflowUpkeep): TaskHandler {
  return Object.freeze({
    name: TASK_ENDED_TASK,
    options: Object.freeze({ maxRetries: 20 }),
    async run(_: TaskContext, args: JsonObject) {
      const runId = checkName("run id", args["runId"]);
      const taskId = checkName("task id", args["taskId"]);
      const outcome = checkOneOf("outcome", args["outcome"], ["succeeded", "failed"]);
      const [run, status] = await Promise.all([store.get(runId), backend?.get(taskId)]);
      // It was rewound meanwhile, and its step has enqueued other tasks, or will.
      if (run?.rewinds !== args["rewinds"]) return;
      await store.recordTaskEnd({
        runId,
        step: checkName("step", args["step"]),
        index: checkInteger("index", args["index"], { min: 0, max: 1_000_000 }),
        ...(outcome === "succeeded" ? { value: status?.payload ?? null } : taskEndOf(status)),
      });
      await upkeep.published();
    },
  });
}
