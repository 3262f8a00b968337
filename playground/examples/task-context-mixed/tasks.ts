import { type AnyTaskHandler, defineIsolatedTask, defineTask } from "stem-sqlite";
import { audit, MIXED_QUEUE } from "./audit.ts";
import type * as flakyModule from "./flaky.ts";
import { inlineParent } from "./inline-parent.ts";
import type * as isolateChildModule from "./isolate-child.ts";

const inlineEntrypoint = defineTask(
  "demo.inline_entrypoint",
  async (context, { runId }: { runId: string }) => {
    const { id, attempt, meta } = context;
    console.log(`[inline_entrypoint] id=${id} attempt=${attempt} runId=${runId} meta=${JSON.stringify(meta)}`);
    await audit.enqueue(
      context,
      { runId, message: "inline entrypoint completed" },
      { enqueueOptions: { priority: 4 } },
    );
    // Stored as null: it was enqueued with `ignoreResult`.
    return "inline-ok";
  },
  { queue: MIXED_QUEUE },
);

const isolateChild = defineIsolatedTask<typeof isolateChildModule, "isolateChild">(
  "demo.isolate_child",
  new URL("./isolate-child.js", import.meta.url),
  { exportName: "isolateChild", queue: MIXED_QUEUE },
);

const flaky = defineIsolatedTask<typeof flakyModule, "flaky">("demo.flaky", new URL("./flaky.js", import.meta.url), {
  exportName: "flaky",
  queue: MIXED_QUEUE,
  maxRetries: 2,
  retryPolicy: { backoff: true, backoffMax: 5_000, defaultDelay: 150, jitter: true },
});

interface LinkArgs {
  readonly runId: string;
  readonly source: string;
}

const onSuccess = defineTask(
  "demo.on_success",
  ({ id }, { runId, source }: LinkArgs) => console.log(`[link_success] id=${id} runId=${runId} source=${source}`),
  { queue: MIXED_QUEUE },
);

const onError = defineTask(
  "demo.on_error",
  ({ id }, { runId, source }: LinkArgs) => console.log(`[link_error] id=${id} runId=${runId} source=${source}`),
  { queue: MIXED_QUEUE },
);

/** The handlers of the worker, which are also what the producer may enqueue. */
export const mixedTasks: readonly AnyTaskHandler[] = [
  inlineParent,
  inlineEntrypoint,
  isolateChild,
  flaky,
  audit,
  onSuccess,
  onError,
];
