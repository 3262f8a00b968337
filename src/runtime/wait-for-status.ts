import type { Clock, Timer } from "../contracts/clock.ts";
import type { ResultBackend, TaskStatus } from "../contracts/result-backend.ts";
import type { Milliseconds } from "../core/duration.ts";
import { isTerminal } from "../core/task-state.ts";
import { ClosedError } from "../errors.ts";
import { createDeferred } from "./deferred.ts";
import { onAbort } from "./on-abort.ts";

/** How long and how closely to wait. */
export interface StatusWait {
  readonly clock: Clock;
  readonly timeout: Milliseconds | undefined;
  readonly pollInterval: Milliseconds | undefined;
  /** Ends the wait with its reason, a typed error. */
  readonly signal: AbortSignal;
}

/** What a wait saw last; `status` is null when the task was never seen. */
export interface StatusSeen {
  readonly status: TaskStatus | null;
  readonly timedOut: boolean;
}

/** Waits for a terminal status, pushed or polled. At the timeout the status is read once more. */
export async function waitForTerminalStatus(
  backend: ResultBackend,
  taskId: string,
  wait: StatusWait,
): Promise<StatusSeen> {
  wait.signal.throwIfAborted();
  const ended = createDeferred<TaskStatus | "timeout">();
  const forget = onAbort(wait.signal, () => ended.reject(wait.signal.reason));
  const watch = backend.watch(taskId);
  const timers = [timeoutTimer(wait, () => ended.resolve("timeout")), pollTimer(backend, taskId, wait, ended)];
  follow(watch, backend, taskId).then(ended.resolve, ended.reject);
  try {
    const end = await ended.promise;
    if (end !== "timeout") return { status: end, timedOut: false };
    const status = await backend.get(taskId);
    return { status, timedOut: status === null || !isTerminal(status.state) };
  } finally {
    forget();
    for (const timer of timers) timer.cancel();
    // The backend answers when the watch is released; nobody has to wait for that, and a failure changes nothing.
    watch.return?.().catch(() => undefined);
  }
}

/** Resolves to the terminal status. A watch that ends without one belongs to a backend that was closed. */
async function follow(watch: AsyncIterable<TaskStatus>, backend: ResultBackend, taskId: string): Promise<TaskStatus> {
  for await (const status of watch) if (isTerminal(status.state)) return status;
  const last = await backend.get(taskId);
  if (last !== null && isTerminal(last.state)) return last;
  throw new ClosedError("The watch of the result backend");
}

function timeoutTimer(wait: StatusWait, onTimeout: () => void): Timer {
  if (wait.timeout === undefined) return { cancel: () => undefined };
  return wait.clock.schedule(onTimeout, wait.timeout, { keepAlive: true });
}

function pollTimer(
  backend: ResultBackend,
  taskId: string,
  wait: StatusWait,
  ended: { readonly resolve: (status: TaskStatus) => void; readonly reject: (reason: unknown) => void },
): Timer {
  const { pollInterval, clock } = wait;
  if (pollInterval === undefined) return { cancel: () => undefined };
  let isCancelled = false;
  let timer: Timer;
  const poll = async (): Promise<void> => {
    const status = await backend.get(taskId);
    if (status !== null && isTerminal(status.state)) ended.resolve(status);
    else if (!isCancelled) timer = clock.schedule(tick, pollInterval);
  };
  const tick = (): void => void poll().catch(ended.reject);
  timer = clock.schedule(tick, pollInterval);
  return {
    cancel() {
      isCancelled = true;
      timer.cancel();
    },
  };
}
