import type { Clock } from "../contracts/clock.ts";
import type { RunState, WorkflowStore } from "../contracts/workflow-store.ts";
import type { Milliseconds } from "../core/duration.ts";
import { hasRunEnded } from "../core/workflow-status.ts";
import { ClosedError } from "../errors.ts";
import { createDeferred } from "../runtime/deferred.ts";
import { onAbort } from "../runtime/on-abort.ts";

/** How long to wait for a run. */
export interface RunWait {
  readonly clock: Clock;
  readonly timeout: Milliseconds | undefined;
  /** Ends the wait with its reason, a typed error. */
  readonly signal: AbortSignal;
}

/** Waits until a run has ended, or the time is over; `null` for one that is not there. */
export async function waitForRun(store: WorkflowStore, runId: string, wait: RunWait): Promise<RunState | null> {
  const before = await store.get(runId);
  if (before === null || hasRunEnded(before.status)) return before;
  wait.signal.throwIfAborted();
  const ended = createDeferred<RunState | "timeout">();
  const forget = onAbort(wait.signal, () => ended.reject(wait.signal.reason));
  const watch = store.watch(runId);
  const timer =
    wait.timeout === undefined
      ? undefined
      : wait.clock.schedule(() => ended.resolve("timeout"), wait.timeout, { keepAlive: true });
  follow(watch, store, runId).then(ended.resolve, ended.reject);
  try {
    const end = await ended.promise;
    return end === "timeout" ? await store.get(runId) : end;
  } finally {
    forget();
    timer?.cancel();
    // Nobody has to wait for the release, and a failure changes nothing.
    watch.return?.().catch(() => undefined);
  }
}

/** A watch that ends without an end of the run belongs to a store that was closed. */
async function follow(watch: AsyncIterable<RunState>, store: WorkflowStore, runId: string): Promise<RunState> {
  for await (const state of watch) if (hasRunEnded(state.status)) return state;
  const last = await store.get(runId);
  if (last !== null && hasRunEnded(last.status)) return last;
  throw new ClosedError("The watch of the workflow store");
}
