import { describe, expect, it } from "vitest";
import { createUuidSource } from "../../../src/core/uuid.ts";
import { createSeededRandomness } from "../../../src/testing/seeded-randomness.ts";

const SHAPE = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const fill = createSeededRandomness(7).fill;
const timeOf = (id: string): number => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);

function expectRising(ids: readonly string[]): void {
  let last = "";
  for (const id of ids) {
    if (!(id > last)) throw new Error(`${id} follows ${last}`);
    last = id;
  }
  expect(new Set(ids).size).toBe(ids.length);
}

describe("core/uuid", () => {
  it("makes version 7 ids with the millisecond in front", () => {
    const now = Date.UTC(2026, 5, 1);
    const next = createUuidSource(() => now, fill);
    for (let made = 0; made < 1_000; made += 1) expect(next()).toMatch(SHAPE);
    expect(timeOf(createUuidSource(() => now, fill)())).toBe(now);
  });

  it("rises strictly within one millisecond, beyond what its counter holds", () => {
    const next = createUuidSource(() => 1_000_000, fill);
    const ids = Array.from({ length: 100_000 }, () => next());
    expectRising(ids);
    expect(ids.every((id) => SHAPE.test(id))).toBe(true);
  });

  it("rises strictly when the clock stands still, goes back and jumps", () => {
    const steps = [0, 0, 5, -1_000, 0, 3, -5, 1e9, -1e9, 0.5];
    let now = Date.UTC(2026, 0, 1);
    const next = createUuidSource(() => (now += steps[Math.floor((now * 7) % steps.length)] ?? 0), fill);
    expectRising(Array.from({ length: 20_000 }, () => next()));
  });

  it("rises with all random bits set", () => {
    const next = createUuidSource(
      () => 5,
      (into) => void into.fill(0xff),
    );
    expectRising(Array.from({ length: 10_000 }, () => next()));
  });

  it("differs between two sources in the same millisecond", () => {
    const one = createUuidSource(() => 5, createSeededRandomness(1).fill);
    const other = createUuidSource(() => 5, createSeededRandomness(2).fill);
    const ids = Array.from({ length: 1_000 }, () => [one(), other()]).flat();
    expect(new Set(ids).size).toBe(2_000);
  });
});
