import type { Clock, Timer } from "../contracts/clock.ts";
import type { Milliseconds } from "../core/duration.ts";

/** Something that happens again and again until it is stopped. */
export interface Repetition {
  /** No further turn begins; resolves when the present one has ended. */
  stop(): Promise<void>;
}

/** How a {@link repeat} goes about it. */
export interface RepeatOptions {
  readonly clock: Clock;
  readonly interval: Milliseconds;
  readonly keepAlive?: boolean;
  /** Gets what a turn throws; the next one comes all the same. */
  readonly onError: (error: unknown) => void;
}

/** Calls `work` each interval, first after one interval, never while the turn before is still going on. */
export function repeat(work: () => Promise<void> | void, options: RepeatOptions): Repetition {
  const { clock, interval, keepAlive = false, onError } = options;
  let isStopped = false;
  let turn: Promise<void> = Promise.resolve();
  let timer: Timer;
  const schedule = (): void => {
    if (!isStopped) timer = clock.schedule(begin, interval, { keepAlive });
  };
  const run = async (): Promise<void> => {
    try {
      await work();
    } catch (error) {
      onError(error);
    }
    schedule();
  };
  const begin = (): void => {
    turn = run();
  };
  schedule();
  return {
    stop() {
      isStopped = true;
      timer.cancel();
      return turn;
    },
  };
}
