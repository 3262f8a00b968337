import type { Clock, Timer } from "../contracts/clock.ts";
import { settle } from "./settle.ts";

interface Entry {
  readonly dueAt: number;
  readonly order: number;
  readonly callback: () => void;
}

/**
 * A clock that stands still until a test moves it. Timers fire in order of their due time, inside `advance`.
 *
 * After each timer, and once at the end, `advance` lets promise reactions and message events run, so that what a
 * timer started has happened when it resolves.
 */
export class FakeClock implements Clock {
  #wall: number;
  #monotonic = 0;
  #order = 0;
  readonly #timers = new Set<Entry>();

  /** @param startAt first value of `now()`, milliseconds since the epoch; 2026-01-01 by default. */
  constructor(startAt: number = Date.UTC(2026, 0, 1)) {
    this.#wall = startAt;
  }

  now(): number {
    return this.#wall;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  schedule(callback: () => void, delayMs: number): Timer {
    if (!Number.isFinite(delayMs)) throw new RangeError(`A timer needs a finite delay; got ${delayMs}.`);
    const entry: Entry = { dueAt: this.#monotonic + Math.max(0, delayMs), order: this.#order++, callback };
    this.#timers.add(entry);
    return { cancel: () => void this.#timers.delete(entry) };
  }

  /** Number of timers that wait; a closed library leaves 0. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** Moves both clocks forward by `ms`, firing what falls due on the way. */
  async advance(ms: number): Promise<void> {
    if (!Number.isFinite(ms) || ms < 0) throw new RangeError(`A clock moves forward by a finite time; got ${ms}.`);
    const target = this.#monotonic + ms;
    await settle();
    for (let next = this.#nextDue(target); next !== undefined; next = this.#nextDue(target)) {
      this.#moveTo(Math.max(next.dueAt, this.#monotonic));
      this.#timers.delete(next);
      next.callback();
      await settle();
    }
    this.#moveTo(target);
    await settle();
  }

  /** Sets only the wall clock, forward, as NTP or an operator does; timers and leases must not care. */
  jump(ms: number): void {
    if (!Number.isFinite(ms) || ms < 0) {
      throw new RangeError("now() never goes backwards: a Clock hides it when the machine's clock is set back.");
    }
    this.#wall += ms;
  }

  #moveTo(monotonic: number): void {
    this.#wall += monotonic - this.#monotonic;
    this.#monotonic = monotonic;
  }

  #nextDue(target: number): Entry | undefined {
    let best: Entry | undefined;
    for (const entry of this.#timers) {
      if (entry.dueAt > target) continue;
      if (best === undefined || entry.dueAt < best.dueAt || (entry.dueAt === best.dueAt && entry.order < best.order)) {
        best = entry;
      }
    }
    return best;
  }
}
