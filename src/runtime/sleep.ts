import type { Clock } from "../contracts/clock.ts";
import type { Milliseconds } from "../core/duration.ts";

/** Resolves after `ms`, or as soon as `signal` fires. */
export function sleep(clock: Clock, ms: Milliseconds, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      timer.cancel();
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = clock.schedule(end, ms, { keepAlive: true });
    signal.addEventListener("abort", end);
  });
}
