import type { Clock, Timer } from "../contracts/clock.ts";

/** `setTimeout` fires at once for anything above 2^31-1 ms; longer waits are chained in steps of this length. */
const LONGEST_STEP_MS = 2 ** 30;

/** What a `setTimeout` handle can do on Node; in browsers it is a number. */
interface NodeTimerHandle {
  unref?(): void;
}

/** All that have not fired. */
const pending = new Set<SystemTimer>();

/**
 * Fires what is due, for contexts whose own timers come late: browsers hold back those of hidden pages, up to a minute,
 * and deliver messages in time.
 */
export function fireDueTimers(): void {
  for (const timer of pending) timer.fireIfDue();
}

class SystemTimer implements Timer {
  readonly #callback: () => void;
  readonly #keepAlive: boolean;
  readonly #dueAt: number;
  #handle: ReturnType<typeof setTimeout> | undefined;

  constructor(callback: () => void, delayMs: number, keepAlive: boolean) {
    this.#callback = callback;
    this.#keepAlive = keepAlive;
    this.#dueAt = performance.now() + Math.max(0, delayMs);
    this.#arm();
    pending.add(this);
  }

  cancel(): void {
    pending.delete(this);
    if (this.#handle !== undefined) clearTimeout(this.#handle);
    this.#handle = undefined;
  }

  fireIfDue(): void {
    if (performance.now() < this.#dueAt) return;
    this.cancel();
    this.#callback();
  }

  #arm(): void {
    const remaining = this.#dueAt - performance.now();
    this.#handle = setTimeout(() => this.#fire(), Math.min(Math.ceil(Math.max(0, remaining)), LONGEST_STEP_MS));
    if (!this.#keepAlive) (this.#handle as unknown as NodeTimerHandle).unref?.();
  }

  #fire(): void {
    if (performance.now() < this.#dueAt) return this.#arm();
    this.fireIfDue();
  }
}

/**
 * The machine's clock, made safe: `now()` follows the wall clock forward, but when that is set back it goes on at the
 * pace of the monotonic clock until the wall clock has caught up.
 */
export function createSystemClock(): Clock {
  let lastNow = Date.now();
  let lastMonotonic = performance.now();
  return {
    now() {
      const monotonic = performance.now();
      const expected = lastNow + (monotonic - lastMonotonic);
      lastMonotonic = monotonic;
      // A wall clock a moment behind is rounding, not a jump: both have to pass for `now` to move.
      lastNow = Math.max(expected, Date.now());
      return Math.floor(lastNow);
    },
    monotonic: () => performance.now(),
    schedule: (callback, delayMs, options) => {
      if (!Number.isFinite(delayMs)) throw new RangeError(`A timer needs a finite delay; got ${delayMs}.`);
      return new SystemTimer(callback, delayMs, options?.keepAlive ?? false);
    },
  };
}
