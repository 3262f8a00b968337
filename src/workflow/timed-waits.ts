import type { Clock, Timer } from "../contracts/clock.ts";

interface TimedWait {
  readonly at: number;
  readonly resume: () => void;
}

/** Waits of one pass that end by time, for as long as something else keeps the pass going. */
export class TimedWaits {
  readonly #clock: Clock;
  #waits: TimedWait[] = [];
  #timer: Timer | undefined;
  #timerAt = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(at: Date, resume: () => void): void {
    this.#waits.push({ at: at.getTime(), resume });
  }

  /** Sees to it that the earliest one is resumed in time. */
  arm(): void {
    const earliest = this.#waits.reduce((least, { at }) => Math.min(least, at), Number.POSITIVE_INFINITY);
    if (earliest >= this.#timerAt) return;
    this.#timer?.cancel();
    this.#timerAt = earliest;
    this.#timer = this.#clock.schedule(() => this.#resume(), Math.max(0, earliest - this.#clock.now()));
  }

  /** Nothing is resumed any more. */
  clear(): void {
    this.#timer?.cancel();
    this.#waits = [];
  }

  #resume(): void {
    const now = this.#clock.now();
    this.#timerAt = Number.POSITIVE_INFINITY;
    const due = this.#waits.filter(({ at }) => at <= now);
    this.#waits = this.#waits.filter(({ at }) => at > now);
    for (const { resume } of due.toSorted((one, other) => one.at - other.at)) resume();
    this.arm();
  }
}
