import type { Clock } from "../contracts/clock.ts";
import type { Milliseconds } from "../core/duration.ts";
import { onAbort } from "./on-abort.ts";

/** Resolves after `ms`, or as soon as `signal` fires. */
export function sleep(clock: Clock, ms: Milliseconds, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      timer.cancel();
      forget();
      resolve();
    };
    const timer = clock.schedule(end, ms, { keepAlive: true });
    const forget = onAbort(signal, end);
  });
}
