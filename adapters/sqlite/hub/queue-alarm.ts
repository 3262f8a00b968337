import type { Clock, Timer } from "../../../src/contracts/clock.ts";
import type { Consumers } from "./consumers.ts";

/** At most 16 poll intervals between two looks at a quiet queue. */
const LONGEST_POLL_DOUBLINGS = 4;

/**
 * When to look at the queues without being asked: when something falls due, and after the poll interval as a safety
 * net. The owner hears of everything that happens, so the longer polling finds nothing, the less often it looks.
 */
export class QueueAlarm {
  readonly #clock: Clock;
  readonly #consumers: Consumers;
  readonly #look: () => void;
  #pending: Readonly<{ at: number; timer: Timer }> | undefined;
  #lastPoll = 0;
  /** Polls in a row that found nothing. */
  #idlePolls = 0;

  constructor(clock: Clock, consumers: Consumers, look: () => void) {
    this.#clock = clock;
    this.#consumers = consumers;
    this.#look = look;
  }

  /** Arranges the next look, not before `pauseMs` have passed. Without consumers there is none. */
  arm(pauseMs: number): void {
    if (this.#consumers.isEmpty) return;
    const now = Math.floor(this.#clock.now());
    const at = Math.max(Math.min(this.#consumers.nextDue, now + this.#pollDelay()), now + pauseMs);
    if (this.#pending !== undefined && this.#pending.at <= at) return;
    this.cancel();
    this.#pending = { at, timer: this.#clock.schedule(() => this.#ring(), at - now) };
  }

  /** There is work again: polling starts over at its own interval. */
  foundSomething(): void {
    this.#idlePolls = 0;
  }

  cancel(): void {
    this.#pending?.timer.cancel();
    this.#pending = undefined;
  }

  #pollDelay(): number {
    return this.#consumers.pollInterval * 2 ** Math.min(this.#idlePolls, LONGEST_POLL_DOUBLINGS);
  }

  #ring(): void {
    this.#pending = undefined;
    const now = this.#clock.now();
    if (!this.#consumers.isEmpty && now - this.#lastPoll >= this.#pollDelay()) {
      this.#lastPoll = now;
      this.#idlePolls += 1;
      this.#consumers.suspectAll();
    }
    this.#look();
  }
}
