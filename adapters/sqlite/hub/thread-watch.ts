import type { Clock, Timer } from "../../../src/contracts/clock.ts";
import type { Milliseconds } from "../../../src/core/duration.ts";

/**
 * So many pings in a row without a word count as a hang. With the 5 s that pages have by default there is less than a
 * second between two: browsers wake hidden pages once a second, and what is due a moment after that waits for the next.
 */
const PINGS = 6;

/** What a {@link ThreadWatch} works with. */
export interface ThreadWatchParts {
  readonly clock: Clock;
  /** What all unanswered pings take together. */
  readonly patience: Milliseconds;
  ping(): void;
  /** Called once; nothing is watched any more then. */
  onHung(): void;
}

/**
 * Finds out whether a thread still comes to its messages. Unanswered pings are counted, not time: a timer that comes late,
 * because the machine slept or the page is hidden, counts once, and a thread that is slow answers in the end.
 */
export class ThreadWatch {
  readonly #parts: ThreadWatchParts;
  #timer: Timer | undefined;
  #missed = 0;

  constructor(parts: ThreadWatchParts) {
    this.#parts = parts;
    this.#ping();
  }

  /** The thread said something. */
  heard(): void {
    this.#missed = 0;
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #ping(): void {
    const { clock, patience } = this.#parts;
    this.#missed += 1;
    this.#parts.ping();
    this.#timer = clock.schedule(() => this.#look(), patience / PINGS);
  }

  #look(): void {
    if (this.#missed < PINGS) return this.#ping();
    this.stop();
    this.#parts.onHung();
  }
}
