import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createSystemClock, fireDueTimers } from "../../../src/ports/system-clock.ts";

const START = Date.UTC(2026, 0, 1);
const LONGEST_NATIVE_MS = 2 ** 31 - 1;

interface NativeTimer {
  readonly dueAt: number;
  readonly delay: number;
  readonly callback: () => void;
  isReferenced: boolean;
}

/** Stands in for the machine: its wall clock, its monotonic clock and its timers. */
class FakeMachine {
  wall = START;
  monotonic = 1_000;
  readonly timers = new Set<NativeTimer>();
  readonly delays: number[] = [];

  readonly setTimeout = (callback: () => void, delay: number): object => {
    this.delays.push(delay);
    // As the platform does with what it cannot take.
    const native = delay > LONGEST_NATIVE_MS || Number.isNaN(delay) || delay < 1 ? 1 : delay;
    const timer: NativeTimer = { dueAt: this.monotonic + native, delay, callback, isReferenced: true };
    this.timers.add(timer);
    return Object.assign(timer, { unref: () => (timer.isReferenced = false) });
  };

  readonly clearTimeout = (timer: unknown): void => void this.timers.delete(timer as NativeTimer);

  /** Lets `ms` pass on both clocks; timers fire `early` milliseconds before they are due, as platforms do at times. */
  pass(ms: number, early = 0): void {
    const end = this.monotonic + ms;
    for (let next = this.#next(end, early); next !== undefined; next = this.#next(end, early)) {
      this.#moveTo(Math.max(this.monotonic, next.dueAt - early));
      this.timers.delete(next);
      next.callback();
      if (early > 0) break;
    }
    this.#moveTo(Math.max(end, this.monotonic));
  }

  #next(end: number, early: number): NativeTimer | undefined {
    return [...this.timers].filter(({ dueAt }) => dueAt - early <= end).toSorted((a, b) => a.dueAt - b.dueAt)[0];
  }

  #moveTo(monotonic: number): void {
    this.wall += monotonic - this.monotonic;
    this.monotonic = monotonic;
  }
}

describe("ports/system-clock", () => {
  let machine: FakeMachine;

  beforeEach(() => {
    machine = new FakeMachine();
    vi.spyOn(Date, "now").mockImplementation(() => Math.floor(machine.wall));
    vi.spyOn(performance, "now").mockImplementation(() => machine.monotonic);
    vi.stubGlobal("setTimeout", machine.setTimeout);
    vi.stubGlobal("clearTimeout", machine.clearTimeout);
  });

  afterEach(() => {
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  });

  it("says what the machine says, in whole milliseconds", () => {
    const clock = createSystemClock();
    expect(clock.now()).toBe(START);
    machine.pass(1_500.75);
    expect(clock.now()).toBe(START + 1_500);
    expect(clock.monotonic()).toBe(2_500.75);
  });

  it("follows the wall clock forward at once", () => {
    const clock = createSystemClock();
    machine.wall += 3_600_000;
    expect(clock.now()).toBe(START + 3_600_000);
  });

  it("goes on at the pace of the monotonic clock when the wall clock is set back, until that has caught up", () => {
    const clock = createSystemClock();
    machine.pass(10_000);
    expect(clock.now()).toBe(START + 10_000);
    machine.wall -= 60_000;
    expect(clock.now()).toBe(START + 10_000);
    machine.pass(30_000);
    expect(clock.now()).toBe(START + 40_000);
    machine.wall += 90_000;
    expect(clock.now()).toBe(machine.wall);
  });

  it("never goes backwards, whatever happens to the wall clock", () => {
    const clock = createSystemClock();
    let last = clock.now();
    for (let step = 0; step < 2_000; step += 1) {
      machine.pass((step * 37) % 11);
      machine.wall += ((step * 7_919) % 4_001) - 2_000;
      const now = clock.now();
      expect(now).toBeGreaterThanOrEqual(last);
      expect(Number.isInteger(now)).toBe(true);
      last = now;
    }
  });

  it("fires once, not before the delay has passed, although the platform's timer fires early", () => {
    const clock = createSystemClock();
    let fired = 0;
    clock.schedule(() => (fired += 1), 100);
    machine.pass(99.5, 0.6);
    expect(fired).toBe(0);
    machine.pass(1);
    expect(fired).toBe(1);
    machine.pass(1_000);
    expect(fired).toBe(1);
    expect(machine.timers.size).toBe(0);
  });

  it("fires what is due, once, when somebody else wakes a context whose timers are held back", () => {
    const clock = createSystemClock();
    const fired: string[] = [];
    clock.schedule(() => fired.push("due"), 100);
    clock.schedule(() => fired.push("later"), 60_000);
    clock.schedule(() => fired.push("cancelled"), 100).cancel();
    machine.monotonic += 99;
    fireDueTimers();
    expect(fired).toEqual([]);
    machine.monotonic += 1;
    fireDueTimers();
    fireDueTimers();
    machine.pass(100);
    expect(fired).toEqual(["due"]);
    machine.pass(60_000);
    expect(fired).toEqual(["due", "later"]);
  });

  it.each([LONGEST_NATIVE_MS, LONGEST_NATIVE_MS + 1, 2 ** 33, 9_000_000_000_000])(
    "waits %d ms in steps that the platform can take",
    (delay) => {
      const clock = createSystemClock();
      let firedAt: number | undefined;
      clock.schedule(() => (firedAt = machine.monotonic), delay);
      const start = machine.monotonic;
      machine.pass(delay - 1);
      expect(firedAt).toBeUndefined();
      machine.pass(2);
      expect(firedAt).toBe(start + delay);
      expect(Math.max(...machine.delays)).toBeLessThanOrEqual(2 ** 30);
    },
  );

  it("takes a delay that is past for none", () => {
    const clock = createSystemClock();
    const fired: number[] = [];
    for (const delay of [-5, -1e15, 0, -0]) clock.schedule(() => fired.push(delay), delay);
    machine.pass(1);
    expect(fired).toHaveLength(4);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    "refuses a delay of %d, which the platform takes for 1 ms",
    (delay) => {
      expect(() => createSystemClock().schedule(() => undefined, delay)).toThrow(RangeError);
      expect(machine.timers.size).toBe(0);
    },
  );

  it("cancels in every step, twice if it must be", () => {
    const clock = createSystemClock();
    let fired = 0;
    const timer = clock.schedule(() => (fired += 1), 2 ** 32);
    machine.pass(2 ** 31);
    timer.cancel();
    timer.cancel();
    machine.pass(2 ** 33);
    expect([fired, machine.timers.size]).toEqual([0, 0]);
  });

  it("lets a timer be cancelled by its own callback", () => {
    const clock = createSystemClock();
    const timer = clock.schedule(() => timer.cancel(), 5);
    machine.pass(5);
    expect(machine.timers.size).toBe(0);
  });

  it("keeps the process alive only when asked to, in every step", () => {
    const clock = createSystemClock();
    clock.schedule(() => undefined, 2 ** 32);
    clock.schedule(() => undefined, 2 ** 32, { keepAlive: true });
    clock.schedule(() => undefined, 2 ** 32, { keepAlive: false });
    const referenced = (): boolean[] => [...machine.timers].map(({ isReferenced }) => isReferenced);
    expect(referenced()).toEqual([false, true, false]);
    machine.pass(2 ** 31);
    expect(referenced()).toEqual([false, true, false]);
  });

  it("works where a timer is a number, as in browsers", () => {
    const handles: number[] = [];
    vi.stubGlobal("setTimeout", () => handles.push(handles.length));
    expect(() =>
      createSystemClock()
        .schedule(() => undefined, 5)
        .cancel(),
    ).not.toThrow();
    expect(handles).toHaveLength(1);
  });
});
