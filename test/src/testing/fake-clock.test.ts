import { describe, expect, it } from "vitest";
import { createSeededRandomness, createSequentialIds, FakeClock, RecordingLogger } from "../../../src/testing/index.ts";

describe("testing/fake-clock", () => {
  it("stands still until it is moved", () => {
    const clock = new FakeClock(5_000);
    expect([clock.now(), clock.monotonic(), clock.now()]).toEqual([5_000, 0, 5_000]);
    expect(new FakeClock().now()).toBe(Date.UTC(2026, 0, 1));
  });

  it("fires timers by due time, equal ones in order of scheduling, each at its own instant", async () => {
    const clock = new FakeClock(0);
    const fired: [string, number][] = [];
    const timer = (name: string, ms: number): unknown => clock.schedule(() => fired.push([name, clock.now()]), ms);
    timer("c", 30);
    timer("a", 10);
    timer("b1", 20);
    timer("b2", 20);
    timer("late", 41);
    await clock.advance(40);
    expect(fired).toEqual([
      ["a", 10],
      ["b1", 20],
      ["b2", 20],
      ["c", 30],
    ]);
    expect([clock.now(), clock.monotonic(), clock.pendingTimers]).toEqual([40, 40, 1]);
  });

  it("fires timers that timers set, within the same advance", async () => {
    const clock = new FakeClock(0);
    const fired: number[] = [];
    const again = (): void => {
      fired.push(clock.now());
      clock.schedule(again, 10);
    };
    clock.schedule(again, 10);
    await clock.advance(35);
    expect(fired).toEqual([10, 20, 30]);
    await clock.advance(5);
    expect(fired).toEqual([10, 20, 30, 40]);
  });

  it("lets what a timer started happen before the next one fires", async () => {
    const clock = new FakeClock(0);
    const events: string[] = [];
    clock.schedule(
      () =>
        void Promise.resolve()
          .then(() => Promise.resolve())
          .then(() => events.push("reaction")),
      1,
    );
    clock.schedule(() => events.push("second"), 2);
    await clock.advance(2);
    expect(events).toEqual(["reaction", "second"]);
  });

  it("fires at an advance of 0 what is due, past delays included, and not before", async () => {
    const clock = new FakeClock(0);
    let fired = 0;
    for (const delay of [0, -5, -1e12]) clock.schedule(() => (fired += 1), delay);
    expect(fired).toBe(0);
    await clock.advance(0);
    expect(fired).toBe(3);
  });

  it("cancels, twice if it must be, also from within a timer", async () => {
    const clock = new FakeClock(0);
    const fired: string[] = [];
    const second = clock.schedule(() => fired.push("second"), 2);
    clock.schedule(() => second.cancel(), 1);
    const third = clock.schedule(() => fired.push("third"), 3);
    third.cancel();
    third.cancel();
    await clock.advance(10);
    expect([fired, clock.pendingTimers]).toEqual([[], 0]);
  });

  it("jumps with the wall clock only: timers do not care", async () => {
    const clock = new FakeClock(0);
    let fired = 0;
    clock.schedule(() => (fired += 1), 100);
    clock.jump(1_000_000);
    expect([clock.now(), clock.monotonic()]).toEqual([1_000_000, 0]);
    await clock.advance(99);
    expect(fired).toBe(0);
    await clock.advance(1);
    expect([fired, clock.now()]).toEqual([1, 1_000_100]);
  });

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    "refuses to move by %d, which no clock does",
    async (ms) => {
      const clock = new FakeClock(0);
      await expect(clock.advance(ms)).rejects.toThrow(RangeError);
      expect(() => clock.jump(ms)).toThrow(RangeError);
      expect([clock.now(), clock.monotonic()]).toEqual([0, 0]);
    },
  );

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    "refuses a timer of %d ms, as the system's clock does",
    (ms) => {
      expect(() => new FakeClock().schedule(() => undefined, ms)).toThrow(RangeError);
    },
  );
});

describe("testing", () => {
  it("repeats random numbers and bytes for the same seed", () => {
    const draw = (seed?: number): unknown => {
      const { fill, number } = createSeededRandomness(seed);
      const bytes = new Uint8Array(8);
      fill(bytes);
      return [number(), number(), [...bytes]];
    };
    expect(draw(1)).toEqual(draw());
    expect(draw(5)).toEqual(draw(5));
    expect(draw(5)).not.toEqual(draw(6));
    const { number } = createSeededRandomness(3);
    expect(Array.from({ length: 10_000 }, number).every((value) => value >= 0 && value < 1)).toBe(true);
  });

  it("counts ids", () => {
    const next = createSequentialIds();
    expect([next(), next(), createSequentialIds("mail")()]).toEqual(["task-1", "task-2", "mail-1"]);
  });

  it("records what is logged", () => {
    const logger = new RecordingLogger();
    logger.log("warn", "a", { b: 1 });
    logger.log("info", "c");
    expect(logger.records).toEqual([
      { level: "warn", message: "a", facts: { b: 1 } },
      { level: "info", message: "c", facts: undefined },
    ]);
  });
});
