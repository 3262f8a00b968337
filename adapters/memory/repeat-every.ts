import type { Clock, Timer } from "../../src/contracts/clock.ts";
import type { Logger } from "../../src/contracts/logger.ts";
import type { Milliseconds } from "../../src/core/duration.ts";

/** Runs `work` each `interval`, never when that is 0; what it throws is logged and the next turn comes all the same. */
export function repeatEvery(clock: Clock, interval: Milliseconds, logger: Logger, work: () => void): Timer {
  if (interval === 0) return { cancel: () => undefined };
  let timer: Timer;
  const turn = (): void => {
    timer = clock.schedule(turn, interval);
    try {
      work();
    } catch (error) {
      logger.log("error", "A maintenance run failed; the next one follows.", { error });
    }
  };
  timer = clock.schedule(turn, interval);
  return { cancel: () => timer.cancel() };
}
