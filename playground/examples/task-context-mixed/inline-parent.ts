import { defineTask, type Task, type TaskContext, type TaskEnqueueOptions } from "stem-sqlite";
import { audit, MIXED_QUEUE } from "./audit.ts";

/** One run of the example. */
export interface RunArgs {
  readonly runId: string;
  readonly forceFail: boolean;
}

/**
 * Enqueues the four children. Stem's example also limits it to 30 runs a minute; this release has no rate limiter, so
 * that option is left out.
 */
export const inlineParent: Task<RunArgs, void> = defineTask("demo.inline_parent", runInlineParent, {
  queue: MIXED_QUEUE,
  maxRetries: 1,
  priority: 3,
  retryPolicy: { backoff: true, defaultDelay: 250, jitter: true },
});

async function runInlineParent(context: TaskContext, { runId, forceFail }: RunArgs): Promise<void> {
  console.log(`[inline_parent] id=${context.id} attempt=${context.attempt} runId=${runId}`);

  const inlineId = await context.enqueue("demo.inline_entrypoint", {
    args: { runId },
    headers: { "x-demo": "inline-entrypoint" },
    meta: { source: "inline-parent" },
    enqueueOptions: { queue: MIXED_QUEUE, eta: new Date(Date.now() + 300), ignoreResult: true, addToParent: false },
  });
  const isolateId = await context.spawn("demo.isolate_child", {
    args: { runId },
    enqueueOptions: { queue: MIXED_QUEUE, countdown: 500, expires: 120_000, addToParent: true },
  });
  const auditId = await audit.enqueue(context, { runId, message: "inline parent scheduled child tasks" });
  const flakyId = await context.enqueue("demo.flaky", {
    args: { runId, forceFail },
    enqueueOptions: everyOption(runId),
  });

  console.log(`[inline_parent] queued inline=${inlineId} isolate=${isolateId} audit=${auditId} flaky=${flakyId}`);
}

/**
 * Should the parent run a second time, after a crash, then the ids of `demo.flaky` and of what follows it tell that
 * they are there already.
 */
function everyOption(runId: string): TaskEnqueueOptions {
  const taskId = `flaky-${runId}`;
  return {
    taskId,
    queue: MIXED_QUEUE,
    exchange: "demo-exchange",
    routingKey: "demo.flaky",
    priority: 9,
    timeLimit: 8_000,
    softTimeLimit: 4_000,
    serializer: "json",
    compression: "gzip",
    ignoreResult: false,
    shadow: "demo.flaky",
    replyTo: "demo.reply",
    retry: true,
    retryPolicy: { backoff: true, backoffMax: 3_000, defaultDelay: 200, jitter: true, maxRetries: 2 },
    publishConnection: { adapter: "sqlite" },
    producer: { app: "task-context-mixed" },
    link: [{ name: "demo.on_success", args: { runId, source: "link" }, enqueueOptions: { taskId: `${taskId}-link` } }],
    linkError: [
      {
        name: "demo.on_error",
        args: { runId, source: "link_error" },
        enqueueOptions: { taskId: `${taskId}-link-error` },
      },
    ],
  };
}
