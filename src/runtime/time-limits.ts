import type { Clock, Timer } from "../contracts/clock.ts";
import { MAX_DURATION_MS, type Milliseconds } from "../core/duration.ts";
import type { Envelope } from "../core/envelope.ts";
import { META_KEYS } from "../core/reserved-keys.ts";
import type { TaskOptions } from "../core/task-options.ts";
import { TimeoutError } from "../errors.ts";
import type { TaskRun } from "./task-run.ts";
import type { WorkerEvents } from "./worker-events.ts";

/**
 * Starts the time limits of a run; `undefined` when it has none. The message's own limits win over the task's.
 *
 * Soft: the signal fires. Hard: the attempt has failed and its slot is free; a handler in a thread is ended, and what
 * another one still does is its own.
 */
export function armTimeLimits(
  run: TaskRun,
  options: TaskOptions,
  clock: Clock,
  events: WorkerEvents,
): Timer | undefined {
  const { envelope } = run;
  const softMs = limitOf(envelope, META_KEYS.softTimeLimitMs) ?? options.softTimeLimit;
  const hardMs = limitOf(envelope, META_KEYS.timeLimitMs) ?? options.hardTimeLimit;
  if (softMs === undefined && hardMs === undefined) return undefined;
  const timers: Timer[] = [];
  const arm = (level: "soft" | "hard", limitMs: Milliseconds, act: (error: TimeoutError) => void): void => {
    const onLimit = (): void => {
      events.emit({ type: "timeout", envelope, level, limitMs });
      act(new TimeoutError(`Task "${envelope.name}"`, limitMs));
    };
    timers.push(clock.schedule(onLimit, limitMs, { keepAlive: true }));
  };
  if (softMs !== undefined) arm("soft", softMs, (error) => run.stop.suggest(error));
  if (hardMs !== undefined) {
    arm("hard", hardMs, (error) => {
      run.stop.demand(error);
      run.cut({ kind: "failed", thrown: error });
    });
  }
  return {
    cancel() {
      for (const timer of timers) timer.cancel();
    },
  };
}

function limitOf(envelope: Envelope, key: string): Milliseconds | undefined {
  const limit = envelope.meta[key];
  return typeof limit === "number" && limit >= 1 && limit <= MAX_DURATION_MS ? limit : undefined;
}
