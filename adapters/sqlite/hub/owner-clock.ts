import type { Clock } from "../../../src/contracts/clock.ts";

/** A forward step of the wall clock beyond this is a jump: the machine slept, or somebody set its clock. */
const JUMP_MS = 1_000;

/** The owner's time: whole milliseconds, and how far the wall clock ran away from the monotonic one. */
export class OwnerClock {
  readonly clock: Clock;
  #lastNow: number;
  #lastMonotonic: number;

  constructor(clock: Clock) {
    this.clock = clock;
    this.#lastNow = clock.now();
    this.#lastMonotonic = clock.monotonic();
  }

  /** The present time, and by how many milliseconds it jumped forward since the last call; 0 in normal life. */
  read(): Readonly<{ now: number; jump: number }> {
    const now = this.clock.now();
    const monotonic = this.clock.monotonic();
    const drift = now - this.#lastNow - (monotonic - this.#lastMonotonic);
    this.#lastNow = now;
    this.#lastMonotonic = monotonic;
    return { now: Math.floor(now), jump: drift > JUMP_MS ? Math.floor(drift) : 0 };
  }
}
