import type { Clock } from "../contracts/clock.ts";
import type { Milliseconds } from "../core/duration.ts";
import { sleep } from "./sleep.ts";

const MAX_TRIES = 6;
const FIRST_PAUSE_MS: Milliseconds = 50;

/** Decides after a failed try whether another one makes sense. */
export type MayPass = (error: unknown) => boolean;

/**
 * Calls `work` until it succeeds, a few times, after pauses of 50 ms and then twice as long each. Once `hurry` fires
 * there are no more pauses, and no more tries. Throws the last error.
 */
export async function retryingFaults<T>(
  work: () => Promise<T>,
  clock: Clock,
  hurry: AbortSignal,
  mayPass: MayPass = () => true,
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (tries >= MAX_TRIES || hurry.aborted || !mayPass(error)) throw error;
    }
    await sleep(clock, FIRST_PAUSE_MS * 2 ** (tries - 1), hurry);
  }
}
